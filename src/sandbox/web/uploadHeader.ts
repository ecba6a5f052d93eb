import { childNumber, childOf, childText, readLenient } from './lenientXml.js';

/** The XML in front of the bytes of an upload, or a question for the size of what arrived earlier. */
export type UploadRequest =
	| { readonly kind: 'size'; readonly name: string }
	| {
			readonly kind: 'upload';
			readonly name: string;
			readonly maxNbytes: number | undefined;
			readonly nbytes: number | undefined;
			readonly offset: number;
			readonly signature: string;
	  }
	| { readonly kind: 'unknown' };

/** The header ends with this; the bytes follow at once. */
export const DATA_MARK = Buffer.from('<data>\n');

/** Headers are short; what has none within this many bytes is no upload. */
export const MAX_HEADER = 64 * 1024;

/** Reads the XML of a request to the upload handler; `text` ends before the bytes. */
export function parseUploadHeader(text: string): UploadRequest {
	const document = readLenient(text);
	const request = childOf(document, 'data_server_request') ?? document;
	if (childOf(request, 'get_file_size')) {
		return { kind: 'size', name: childText(request, 'get_file_size') };
	}
	const upload = childOf(request, 'file_upload');
	if (!upload) {
		return { kind: 'unknown' };
	}
	const info = childOf(upload, 'file_info');
	const positive = (value: number): number | undefined => (value >= 0 ? value : undefined);
	return {
		kind: 'upload',
		name: childText(info, 'name'),
		maxNbytes: positive(childNumber(info, 'max_nbytes', -1)),
		nbytes: positive(childNumber(upload, 'nbytes', -1)),
		offset: childNumber(upload, 'offset', 0),
		signature: childText(info, 'xml_signature'),
	};
}

/** Whether a name may be stored: one path component without tricks. */
export function isUploadName(name: string): boolean {
	const plain = /^[^\s/\\\p{Cc}]+$/u.test(name);
	return plain && Buffer.byteLength(name) <= 255 && !name.includes('..') && !name.startsWith('.');
}
