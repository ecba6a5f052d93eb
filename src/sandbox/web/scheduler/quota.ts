import { type Database, numberOf } from '../../database.js';
import type { ServerConfig } from '../serverConfig.js';

/** Whether the host has had its jobs of the day for a version, and the limit for the message. `units`: its processors, or GPUs of the kind that the version uses. */
export async function dailyQuota(
	database: Database,
	config: ServerConfig,
	hostId: number,
	versionId: number,
	units: number,
): Promise<{ readonly exceeded: boolean; readonly limit: number }> {
	if (config.dailyResultQuota <= 0) {
		return { exceeded: false, limit: 0 };
	}
	const [row] = await database.select(
		'SELECT n_jobs_today, max_jobs_per_day FROM host_app_version WHERE host_id = ? AND app_version_id = ?',
		[hostId, versionId],
	);
	const own = row ? numberOf(row, 'max_jobs_per_day') : 0;
	const limit = (own > 0 ? Math.min(own, config.dailyResultQuota) : config.dailyResultQuota) * units;
	return { exceeded: row !== undefined && numberOf(row, 'n_jobs_today') >= limit, limit };
}

/** Counts a job that was sent. */
export async function countSent(database: Database, config: ServerConfig, hostId: number, versionId: number): Promise<void> {
	await database.execute(
		`INSERT INTO host_app_version (host_id, app_version_id, max_jobs_per_day, n_jobs_today) VALUES (?, ?, ?, 1)
			ON DUPLICATE KEY UPDATE n_jobs_today = n_jobs_today + 1`,
		[hostId, versionId, config.dailyResultQuota],
	);
}

/** The day's counters start again at the first request of a day (UTC). Times in seconds. */
export async function startDay(database: Database, hostId: number, lastRpcTime: number, now: number): Promise<void> {
	if (Math.floor(lastRpcTime / 86_400) !== Math.floor(now / 86_400)) {
		await database.execute('UPDATE host_app_version SET n_jobs_today = 0 WHERE host_id = ?', [hostId]);
	}
}

/** Errors shrink the daily quota by one, successes double it up to the project's limit. */
export async function countResult(
	database: Database,
	config: ServerConfig,
	hostId: number,
	versionId: number,
	result: 'good' | 'bad',
): Promise<void> {
	if (versionId <= 0 || config.dailyResultQuota <= 0) {
		return;
	}
	const quota = config.dailyResultQuota;
	await database.execute(
		result === 'good'
			? 'UPDATE host_app_version SET max_jobs_per_day = LEAST(?, GREATEST(1, max_jobs_per_day * 2)) WHERE host_id = ? AND app_version_id = ?'
			: 'UPDATE host_app_version SET max_jobs_per_day = GREATEST(1, LEAST(?, max_jobs_per_day) - 1) WHERE host_id = ? AND app_version_id = ?',
		[quota, hostId, versionId],
	);
}
