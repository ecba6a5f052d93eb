import { BoincError } from '../common/errors.js';
import { textOf } from '../common/readableText.js';
import type { Queries } from './queries.js';

const blobText = (value: unknown): string =>
	value instanceof Uint8Array ? textOf(value) : typeof value === 'string' ? value : '';

const purged = (what: string): BoincError =>
	new BoincError('result-missing', `${what} is no longer in the project's database.`, {
		remedy: 'The project has purged it. Refresh the view.',
	});

/** The XML that describes the job of an instance to clients: its files and command line. Rejects with `result-missing`. */
export async function inputXml(db: Queries, instanceId: number): Promise<string> {
	const [row] = await db.select('SELECT w.xml_doc FROM result r JOIN workunit w ON w.id = r.workunitid WHERE r.id = ?', [
		instanceId,
	]);
	if (!row) {
		throw purged(`The job of instance ${instanceId}`);
	}
	return blobText(row.xml_doc);
}

/** The XML of an instance's outputs: what its host reported, or before that, what it is to deliver. Rejects with `result-missing`. */
export async function outputXml(db: Queries, instanceId: number): Promise<string> {
	const [row] = await db.select('SELECT xml_doc_in, xml_doc_out FROM result WHERE id = ?', [instanceId]);
	if (!row) {
		throw purged(`Instance ${instanceId}`);
	}
	return blobText(row.xml_doc_out) || blobText(row.xml_doc_in);
}

/** Facts of a host that the project knows, in the order of `HOST_FACTS`; without address and key of the volunteer. */
export type HostFacts = Readonly<Record<(typeof HOST_FACTS)[number], string | number>> & { readonly misc: string };

export const HOST_FACTS = [
	...(['id', 'userid', 'os_name', 'os_version', 'p_vendor', 'p_model', 'p_ncpus', 'p_fpops'] as const),
	...(['m_nbytes', 'm_swap', 'd_total', 'd_free', 'n_bwdown', 'n_bwup'] as const),
	...(['rpc_time', 'create_time', 'avg_turnaround', 'error_rate', 'product_name'] as const),
] as const;

/** Rejects with `result-missing` when the host is gone. */
export async function hostFacts(db: Queries, hostId: number): Promise<HostFacts> {
	const [row] = await db.select(`SELECT ${HOST_FACTS.join(', ')}, misc FROM host WHERE id = ?`, [hostId]);
	if (!row) {
		throw purged(`Host ${hostId}`);
	}
	const facts = HOST_FACTS.map((name) => [name, typeof row[name] === 'number' ? row[name] : blobText(row[name])]);
	return { ...(Object.fromEntries(facts) as Omit<HostFacts, 'misc'>), misc: blobText(row.misc) };
}
