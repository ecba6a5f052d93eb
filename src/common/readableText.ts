import { isUtf8 } from 'node:buffer';

/** Escape sequences of terminals: colours, cursor movements, titles. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Bytes that some program wrote as text: UTF-8 where it is that; a byte that is not becomes `\xE9`, or another mark before the digits. */
export function textOf(bytes: Uint8Array, mark = '\\x'): string {
	if (isUtf8(bytes)) {
		return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
	}
	let text = '';
	let from = 0;
	for (let at = 0; at < bytes.length;) {
		const width = widthAt(bytes, at);
		if (width > 0) {
			at += width;
			continue;
		}
		text += `${Buffer.from(bytes.subarray(from, at)).toString('utf8')}${mark}${(bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, '0')}`;
		from = ++at;
	}
	return text + Buffer.from(bytes.subarray(from)).toString('utf8');
}

/** Text for a document: without the sequences of terminals, a lone carriage return as a new line, control characters as pictures. */
export function readable(text: string): string {
	return text
		.replace(ESCAPES, '')
		.replace(/\r\n?/g, '\n')
		.replace(CONTROLS, (char) => (char === '\u007f' ? '\u2421' : String.fromCodePoint(0x2400 + char.charCodeAt(0))));
}

/** Bytes of the UTF-8 character that begins here; 0 when none does. */
function widthAt(bytes: Uint8Array, at: number): number {
	const first = bytes[at] ?? 0;
	const width = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
	return at + width <= bytes.length && isUtf8(bytes.subarray(at, at + width)) ? width : 0;
}

/** A long text cut to its head and tail at ends of lines; `middle` says what stands between. */
export function excerpt(text: string, headAndTail: number, middle: (leftOut: number) => string): string {
	if (text.length <= 2 * headAndTail) {
		return text;
	}
	const head = text.slice(0, text.lastIndexOf('\n', headAndTail) + 1 || headAndTail);
	const after = text.indexOf('\n', text.length - headAndTail) + 1;
	const tail = text.slice(after > 0 && after < text.length ? after : text.length - headAndTail);
	return `${head}${head.endsWith('\n') ? '' : '\n'}${middle(text.length - head.length - tail.length)}\n${tail}`;
}
