import { textOf } from '../../common/readableText.js';
import type { ByteString, TarKind } from '../../image/tar/tarHeader.js';

/** Longest path of an entry; file systems and editors end at about a thousand characters. */
const LONGEST = 1000;
/** Names that Windows gives to devices, whatever comes after a dot. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/**
 * Why an entry of a result, which a stranger's computer made, is not written; `undefined` if it may be. `path` is
 * what `entryPath` made of its name.
 */
export function refusal(path: string, kind: TarKind, platform: NodeJS.Platform = process.platform): string | undefined {
	const parts = path.split(/[\\/]/);
	if (path.startsWith('/') || path.startsWith('\\') || /^[a-z]:/i.test(path)) {
		return 'its path is absolute';
	}
	if (parts.includes('..')) {
		return 'its path leads out of the folder';
	}
	if (path.includes('\0') || path.length > LONGEST) {
		return 'its name is not valid';
	}
	if (kind !== 'file' && kind !== 'directory') {
		return kind.endsWith('link') ? 'it is a link' : 'it is a device or a pipe';
	}
	if (
		platform === 'win32' &&
		parts.some((part) => /[<>:"|?*\p{Cc}]|[. ]$/u.test(part.replace(/^\.$/, '')) || DEVICES.test(part))
	) {
		return 'Windows has no files with such a name';
	}
	return undefined;
}

/** The name of an entry as text: UTF-8 where it is that; a byte that is not becomes `%E9` and the like. */
export const entryPath = (name: ByteString): string => textOf(Buffer.from(name, 'latin1'), '%');
