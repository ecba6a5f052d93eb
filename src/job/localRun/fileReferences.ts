import { BoincError } from '../../common/errors.js';

/** A file that a client copies into the slot of a job. */
export interface FileReference {
	/** Physical name. */
	readonly name: string;
	/** Path in the slot. */
	readonly openName: string;
	/** MD5 in lower-case hex, where the XML tells it. */
	readonly md5: string | undefined;
}

const element = (xml: string, name: string): string | undefined =>
	new RegExp(`<${name}>\\s*([^<]*?)\\s*</${name}>`).exec(xml)?.[1];

/**
 * The files that clients copy into the slot, from the XML of a job or an app version. It is not always well-formed, so it is
 * searched. Throws `job-invalid` for a path that leads out of the slot: the XML comes from a server.
 */
export function fileReferences(xml: string): FileReference[] {
	const hashes = new Map<string, string>();
	for (const [info] of xml.matchAll(/<file_info>.*?<\/file_info>/gs)) {
		const md5 = element(info, 'md5_cksum');
		if (md5 !== undefined && /^[0-9a-f]{32}$/.test(md5)) {
			hashes.set(element(info, 'name') ?? '', md5);
		}
	}
	return [...xml.matchAll(/<file_ref>.*?<\/file_ref>/gs)].flatMap(([ref]) => {
		const name = element(ref, 'file_name') ?? '';
		const openName = element(ref, 'open_name');
		if (openName === undefined) {
			return [];
		}
		const isSafe = /^[A-Za-z0-9._-]+$/.test(name) && /^(?![/\\])[^\\:\0]+$/.test(openName);
		if (!isSafe || openName.split('/').includes('..')) {
			throw new BoincError(
				'job-invalid',
				`The job has a file ${JSON.stringify(name)} for ${JSON.stringify(openName)}, which leads out of its folder.`,
				{
					remedy: 'Look who submitted the job.',
				},
			);
		}
		return [{ name, openName, md5: hashes.get(name) }];
	});
}
