import { BoincError } from '../common/errors.js';
import { textOf } from '../common/readableText.js';
import type { Queries } from './queries.js';

/** What a host reported of one instance, cut apart. */
export interface InstanceLog {
	/** Everything, as it was reported (the client sends the last 63 KiB). */
	readonly text: string;
	/** The client's own reason when the instance failed; empty otherwise. */
	readonly message: string;
	/** What the wrapper said: versions, engine commands. */
	readonly wrapper: string;
	/** What the container said, standard output and error mixed. */
	readonly container: string;
}

const between = (text: string, begin: string, end: string): string | undefined => {
	const start = text.indexOf(begin);
	if (start < 0) {
		return undefined;
	}
	const from = start + begin.length;
	const to = text.indexOf(end, from);
	return text.slice(from, to < 0 ? undefined : to);
};

const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"', '&apos;': "'" };

/** Where the wrappers put what the container said: docker_wrapper between two lines, vboxwrapper before its next line with a time. */
const MARKS: readonly { readonly begin: RegExp; readonly end: RegExp }[] = [
	{ begin: /^.*stderr from container:.*$/m, end: /^.*stderr end.*$/m },
	{ begin: /^.*VM Completion Message: /m, end: /\.\n(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\d+\): )|\.$(?![^])/m },
];

/**
 * Cuts `result.stderr_out` apart. It is not well-formed XML, so it is searched, not parsed. Without the marks of a wrapper
 * everything is the wrapper's.
 */
export function parseStderr(raw: string): InstanceLog {
	const text = (between(raw, '<stderr_txt>', '</stderr_txt>') ?? raw).trim();
	const message = (between(raw, '<message>', '</message>') ?? '').trim();
	for (const marks of MARKS) {
		const begin = marks.begin.exec(text);
		if (begin) {
			const after = text.slice(begin.index + begin[0].length);
			const end = marks.end.exec(after);
			return {
				text: raw,
				message: decode(message),
				wrapper: decode(
					`${text.slice(0, begin.index).trimEnd()}\n${end ? after.slice(end.index + end[0].length).trimStart() : ''}`.trim(),
				),
				container: decode((end ? after.slice(0, end.index) : after).trim()),
			};
		}
	}
	return { text: raw, message, wrapper: decode(text), container: '' };
}

const decode = (text: string): string => text.replace(/&(?:lt|gt|amp|quot|apos);/g, (entity) => ENTITIES[entity] ?? entity);

/** The log of an instance. Rejects with `result-missing` when the row is gone; empty before the host has reported. */
export async function instanceLog(db: Queries, instanceId: number): Promise<InstanceLog> {
	const [row] = await db.select('SELECT stderr_out FROM result WHERE id = ?', [instanceId]);
	if (!row) {
		throw new BoincError('result-missing', `Instance ${instanceId} is no longer in the project's database.`, {
			remedy: 'The project has purged it. Refresh the view.',
		});
	}
	const blob = row.stderr_out;
	const raw = blob instanceof Uint8Array ? textOf(blob) : typeof blob === 'string' ? blob : '';
	return parseStderr(raw);
}
