import { type Database, numberOf, type Parameter, type Row, textOf } from '../../database.js';
import type { HostInfo, RequestGpu, SchedulerRequest } from './request.js';

export interface Account {
	readonly id: number;
	readonly name: string;
	readonly teamId: number;
}

export interface HostRecord {
	readonly id: number;
	/** Whether this request made the record, so that the client must learn its id. */
	readonly isNew: boolean;
	/** Time of the request before this one, in seconds; 0 for a new host. */
	readonly lastRpcTime: number;
	/** -1 means that the project wants nothing from this host. */
	readonly maxResultsDay: number;
}

/** The account of an authenticator. */
export async function findAccount(database: Database, authenticator: string): Promise<Account | undefined> {
	const [row] =
		authenticator === ''
			? []
			: await database.select('SELECT id, name, teamid FROM user WHERE authenticator = ?', [authenticator]);
	return row && { id: numberOf(row, 'id'), name: textOf(row, 'name'), teamId: numberOf(row, 'teamid') };
}

/**
 * The record of the host that asks, made when there is none. As the stock scheduler does: a smaller sequence number than
 * stored is a copied client and becomes a new host; a client that lost its id is recognised by its own cross-project id,
 * and what it had in progress counts as detached.
 */
export async function findHost(
	database: Database,
	account: Account,
	request: SchedulerRequest,
	now: number,
): Promise<HostRecord> {
	if (request.hostId > 0) {
		const [row] = await database.select('SELECT id, rpc_seqno, rpc_time, max_results_day FROM host WHERE id = ? AND userid = ?', [
			request.hostId,
			account.id,
		]);
		if (row && request.rpcSeqno >= numberOf(row, 'rpc_seqno')) {
			return existing(row, false);
		}
	}
	if (request.host.hostCpid !== '' && !request.allowMultipleClients) {
		const [row] = await database.select(
			`SELECT id, rpc_time, max_results_day FROM host WHERE userid = ? AND host_cpid = ? AND id <> ?
				ORDER BY id DESC LIMIT 1`,
			[account.id, request.host.hostCpid, request.hostId],
		);
		if (row && request.hostId === 0) {
			await endTasksOf(database, numberOf(row, 'id'), now);
			return existing(row, true);
		}
	}
	const { insertId } = await database.execute('INSERT INTO host (create_time, userid) VALUES (?, ?)', [now, account.id]);
	return { id: insertId, isNew: true, lastRpcTime: 0, maxResultsDay: 0 };
}

const existing = (row: Row, isNew: boolean): HostRecord => ({
	id: numberOf(row, 'id'),
	isNew,
	lastRpcTime: numberOf(row, 'rpc_time'),
	maxResultsDay: numberOf(row, 'max_results_day'),
});

/** Instances of a client that detached: over, outcome 7. */
async function endTasksOf(database: Database, hostId: number, now: number): Promise<void> {
	await database.execute(
		`UPDATE workunit w JOIN result r ON r.workunitid = w.id SET w.transition_time = ? WHERE r.hostid = ? AND r.server_state = 4`,
		[now, hostId],
	);
	await database.execute(
		'UPDATE result SET server_state = 5, outcome = 7, received_time = ? WHERE hostid = ? AND server_state = 4',
		[now, hostId],
	);
}

/** Stores what the client said about its host. */
export async function updateHost(
	database: Database,
	host: HostRecord,
	request: SchedulerRequest,
	context: { readonly now: number; readonly address: string; readonly assumeDocker: boolean },
): Promise<void> {
	const info = request.host;
	const values: Readonly<Record<string, Parameter>> = {
		rpc_seqno: request.rpcSeqno,
		rpc_time: context.now,
		timezone: info.timezone,
		domain_name: info.domainName.slice(0, 190),
		last_ip_addr: info.ipAddress.slice(0, 190),
		external_ip_addr: context.address.slice(0, 190),
		host_cpid: info.hostCpid.slice(0, 190),
		on_frac: request.onFraction,
		active_frac: request.activeFraction,
		p_ncpus: info.ncpus,
		p_vendor: info.vendor.slice(0, 250),
		p_model: info.model.slice(0, 250),
		p_fpops: info.fpops,
		p_iops: info.iops,
		p_membw: info.membw,
		os_name: info.osName.slice(0, 190),
		os_version: info.osVersion.slice(0, 190),
		product_name: info.productName.slice(0, 250),
		m_nbytes: info.ramBytes,
		m_cache: info.cacheBytes,
		m_swap: info.swapBytes,
		d_total: info.diskTotal,
		d_free: info.diskFree,
		d_boinc_used_project: request.diskUsedByProject,
		p_ngpus: request.gpus.reduce((sum, { count }) => sum + count, 0),
		p_gpu_fpops: request.gpus.reduce((sum, { count, peakFlops }) => sum + count * peakFlops, 0),
		misc: hostMisc(request, context.assumeDocker),
	};
	const assignments = Object.keys(values).map((column) => `${column} = ?`);
	await database.execute(`UPDATE host SET ${assignments.join(', ')} WHERE id = ?`, [...Object.values(values), host.id]);
}

/** The JSON text of `host.misc`, laid out as the stock scheduler writes it. */
export function hostMisc(request: SchedulerRequest, assumeDocker: boolean): string {
	const info = request.host;
	const docker = dockerOf(info, assumeDocker);
	const config = { ...(request.dontUseDocker && { dont_use_docker: true }), ...(request.dontUseWsl && { dont_use_wsl: true }) };
	return JSON.stringify(
		{
			client_version: request.clientVersionText,
			...(request.gpus.length > 0 && { gpus: request.gpus.map(gpuMisc) }),
			...(docker && { docker }),
			...(info.virtualboxVersion !== '' && { vbox: { version: info.virtualboxVersion } }),
			...(Object.keys(config).length > 0 && { config }),
		},
		undefined,
		4,
	);
}

const gpuMisc = ({ type, model, count, ramBytes, driverVersion }: RequestGpu): Record<string, string | number> => ({
	type,
	model,
	count,
	ram_mb: Math.floor(ramBytes / (1 << 20)),
	driver_version: driverVersion,
});

function dockerOf(info: HostInfo, assumeDocker: boolean): { version: string; type: number } | undefined {
	if (info.dockerVersion !== '') {
		return { version: info.dockerVersion, type: info.dockerType };
	}
	return assumeDocker ? { version: 'assumed by the sandbox', type: 2 } : undefined;
}
