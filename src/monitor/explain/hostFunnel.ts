import { formatSeconds, plural } from '../../common/format.js';
import type { Queries } from '../queries.js';
import { type Explanation, ofHosts } from './explanation.js';
import { conditionRemedy, conditionWords, type Requirements } from './hostConditions.js';
import { activeHosts, type HostRecord } from './hostRecord.js';
import { ACTIVE_SECONDS, countHosts, MOST_HOSTS } from './hostShare.js';

/** Which of the project's hosts can take a job, and why the others cannot. Reads only. */
export async function explainFunnel(db: Queries, requirements: Requirements, now: number): Promise<Explanation[]> {
	const hosts = await activeHosts(db, now - ACTIVE_SECONDS, MOST_HOSTS);
	if (hosts.length === 0) {
		const [row] = await db.select('SELECT COUNT(*) AS n, MAX(rpc_time) AS last FROM host');
		const known = Number(row?.n ?? 0);
		return [
			{
				kind: 'no-host',
				level: 'error',
				numbers: { hosts: 0, known },
				sentence:
					known === 0
						? 'No host has joined the project yet.'
						: `None of the project’s ${plural(known, 'host')} has asked for work in the last week; the last one did so ${formatSeconds(now - Number(row?.last ?? 0))} ago.`,
				remedy: 'Attach a BOINC client to the project, or ask volunteers to.',
			},
		];
	}
	return funnel(hosts, requirements, now);
}

/** Counts the hosts that are lost at each condition. Pure. */
export function funnel(hosts: readonly HostRecord[], requirements: Requirements, now: number): Explanation[] {
	const { fit, lost } = countHosts(hosts, requirements);
	const numbers = Object.fromEntries([['hosts', hosts.length], ['fit', fit.length], ...lost]) as Record<string, number>;
	const losses = [...lost].sort((a, b) => b[1] - a[1]);
	const details = [...lost].map(([condition, count]) => `${plural(count, 'host')}: ${conditionWords(condition, requirements)}`);
	const [worst] = losses;
	const most = worst === undefined ? {} : { remedy: conditionRemedy(worst[0]), details };
	if (fit.length === 0) {
		return [
			{
				kind: 'no-host-fits',
				level: 'error',
				numbers,
				sentence: `No host can take ${hosts.length === 1 ? 'the job; the only host' : 'the jobs; all'} ${hosts.length === 1 ? '' : `${plural(hosts.length, 'host')} `}of the last week ${hosts.length === 1 ? 'is' : 'are'} lost at a condition.`,
				...most,
			},
		];
	}
	const last = formatSeconds(now - Math.max(...fit.map(({ lastContact }) => lastContact)));
	return [
		...(fit.length * 2 < hosts.length
			? [
					{
						kind: 'hosts-lost' as const,
						level: 'warning' as const,
						numbers,
						sentence: `Only ${ofHosts(fit.length, hosts.length)} of the last week can take these jobs.`,
						...most,
					},
				]
			: []),
		{
			kind: 'hosts-fit',
			level: 'info',
			numbers,
			sentence: `${ofHosts(fit.length, hosts.length).replace(/^./, (letter) => letter.toUpperCase())} of the last week can take these jobs, and ${fit.length === 1 ? 'gets' : 'get'} them when ${fit.length === 1 ? 'it asks' : 'they ask'} for work; the last contact was ${last} ago.`,
			...(worst !== undefined && fit.length * 2 >= hosts.length && { details }),
		},
	];
}
