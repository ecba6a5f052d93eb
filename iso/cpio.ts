/** A file, folder or link of an archive. Owners are root and times are equal for all, so none are here. */
export type CpioEntry =
	| { readonly path: string; readonly kind: 'file'; readonly mode: number; readonly content: Buffer }
	| { readonly path: string; readonly kind: 'directory'; readonly mode: number }
	| { readonly path: string; readonly kind: 'link'; readonly target: string };

const TYPE = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const;

/** An archive in the form that the kernel unpacks ("newc"), sorted by path; the same entries give the same bytes. */
export function cpioArchive(entries: readonly CpioEntry[], time: number): Buffer {
	const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
	const parts = sorted.map((entry, index) => {
		const content =
			entry.kind === 'file' ? entry.content : entry.kind === 'link' ? Buffer.from(entry.target, 'utf8') : Buffer.alloc(0);
		const mode = entry.kind === 'link' ? 0o777 : entry.mode;
		return record(
			entry.path,
			{ inode: index + 1, mode: TYPE[entry.kind] | mode, time, links: entry.kind === 'directory' ? 2 : 1 },
			content,
		);
	});
	return Buffer.concat([...parts, record('TRAILER!!!', { inode: 0, mode: 0, time: 0, links: 1 }, Buffer.alloc(0))]);
}

function record(
	path: string,
	{ inode, mode, time, links }: { inode: number; mode: number; time: number; links: number },
	content: Buffer,
): Buffer {
	const name = Buffer.from(`${path}\0`, 'utf8');
	// inode, mode, uid, gid, links, time, size, device (2), special device (2), length of the name, checksum
	const numbers = [inode, mode, 0, 0, links, time, content.length, 0, 0, 0, 0, name.length, 0];
	const header = `070701${numbers.map((number) => number.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
	return Buffer.concat([padded(Buffer.concat([Buffer.from(header, 'latin1'), name])), padded(content)]);
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
