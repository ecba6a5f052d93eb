import type { Queries } from '../queries.js';

/** A host as its last report to the server describes it. Nothing personal is read. */
export interface HostRecord {
	readonly id: number;
	readonly userId: number;
	/** UNIX seconds of the last contact. */
	readonly lastContact: number;
	readonly os: 'linux' | 'windows' | 'mac' | 'other';
	readonly architecture: 'amd64' | 'arm64';
	readonly osText: string;
	readonly vendor: string;
	readonly model: string;
	readonly processors: number;
	/** FLOPS of one processor. */
	readonly flops: number;
	readonly memoryBytes: number;
	readonly diskFreeBytes: number;
	/** Share of the time in which it computes. */
	readonly activeFraction: number;
	/** The project's administrator blocked it. */
	readonly blocked: boolean;
	/** 10000 × major + 100 × minor + release; 0 when not reported. */
	readonly clientVersion: number;
	/** Version of Docker or Podman; empty without one. */
	readonly engine: string;
	readonly engineKind: 'docker' | 'podman' | 'unknown';
	/** The volunteer forbids containers. */
	readonly engineForbidden: boolean;
	readonly virtualbox: string;
	readonly gpus: readonly HostGpu[];
}

/** GPUs of one kind that a host reported. */
export interface HostGpu {
	/** `nvidia`, `amd`, `intel`, `apple`, or the name of another vendor. */
	readonly type: string;
	readonly count: number;
	/** MiB of its own memory; that of the best, where there are several. */
	readonly ramMib: number;
}

const COLUMNS = `id, userid, rpc_time, os_name, os_version, p_vendor, p_model, p_ncpus, p_fpops, m_nbytes, d_free, on_frac, active_frac,
	max_results_day, misc`;

/** Hosts that contacted the server since `since` (UNIX seconds), newest first. Scans the table by its key; at most `limit` rows. */
export async function activeHosts(db: Queries, since: number, limit: number): Promise<HostRecord[]> {
	const rows = await db.select(`SELECT ${COLUMNS} FROM host WHERE rpc_time >= ? ORDER BY id DESC LIMIT ?`, [since, limit]);
	return rows.map(hostRecord);
}

/** Certain hosts; those that are gone are missing. */
export async function hostsById(db: Queries, ids: readonly number[]): Promise<HostRecord[]> {
	return ids.length === 0
		? []
		: (await db.select(`SELECT ${COLUMNS} FROM host WHERE id IN (${ids.map(() => '?').join(', ')})`, ids)).map(hostRecord);
}

function hostRecord(row: Readonly<Record<string, unknown>>): HostRecord {
	const number = (column: string): number => Number(row[column] ?? 0) || 0;
	const text = (column: string): string => {
		const value = row[column];
		return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : typeof value === 'string' ? value : '';
	};
	const misc = parseMisc(text('misc'));
	const fractions = number('on_frac') * number('active_frac');
	const osName = text('os_name');
	const forbidden = flagOf(misc.config, 'dont_use_docker') || (/windows/i.test(osName) && flagOf(misc.config, 'dont_use_wsl'));
	return {
		id: number('id'),
		userId: number('userid'),
		lastContact: number('rpc_time'),
		os: /linux|android/i.test(osName) ? 'linux' : /windows/i.test(osName) ? 'windows' : /darwin/i.test(osName) ? 'mac' : 'other',
		architecture: /\barm|aarch64|apple/i.test(`${text('p_vendor')} ${text('p_model')}`) ? 'arm64' : 'amd64',
		osText: `${osName}\t${text('os_version')}`,
		vendor: text('p_vendor'),
		model: text('p_model'),
		processors: Math.max(1, number('p_ncpus')),
		flops: number('p_fpops') > 0 ? number('p_fpops') : 1e9,
		memoryBytes: number('m_nbytes'),
		diskFreeBytes: number('d_free'),
		// A host that has just attached has none yet: the scheduler takes it for always on.
		activeFraction: fractions > 0 ? Math.max(fractions, 0.01) : 1,
		blocked: number('max_results_day') === -1,
		clientVersion: versionNumber(textOf(misc.client_version)),
		engine: versionOf(misc.docker),
		engineKind: engineKind(misc.docker),
		engineForbidden: forbidden,
		virtualbox: versionOf(misc.vbox),
		gpus: gpusOf(misc.gpus),
	};
}

/** `8.2.4` → 80204. */
function versionNumber(text: string): number {
	const [, major, minor, release] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
	return major === undefined ? 0 : Number(major) * 10_000 + Number(minor) * 100 + Number(release ?? 0);
}

type Misc = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Misc => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const flagOf = (value: unknown, name: string): boolean => isObject(value) && value[name] === true;

/** The scheduler writes it from what clients say: anything may be missing or wrong. */
function parseMisc(text: string): Misc {
	try {
		const value: unknown = JSON.parse(text);
		return isObject(value) ? value : {};
	} catch {
		return {};
	}
}

/** A list counts by its first entry: Windows hosts may have several distributions. */
function versionOf(value: unknown): string {
	const one: unknown = Array.isArray(value) ? value[0] : value;
	return isObject(one) ? textOf(one.version) || 'unknown' : '';
}

/** BOINC's numbers: 1 is Docker, 2 is Podman. */
function engineKind(value: unknown): HostRecord['engineKind'] {
	const one: unknown = Array.isArray(value) ? value[0] : value;
	const type = isObject(one) ? one.type : undefined;
	return type === 1 ? 'docker' : type === 2 ? 'podman' : 'unknown';
}

function gpusOf(value: unknown): HostGpu[] {
	const list: unknown[] = Array.isArray(value) ? value : [];
	const number = (of: unknown): number => (typeof of === 'number' && Number.isFinite(of) ? of : 0);
	return list
		.filter(isObject)
		.map((gpu) => ({ type: textOf(gpu.type), count: number(gpu.count), ramMib: number(gpu.ram_mb) }))
		.filter(({ type, count }) => type !== '' && count > 0);
}
