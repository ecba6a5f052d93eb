import { type Database, numberOf, textOf } from '../../database.js';

export interface App {
	readonly id: number;
	readonly name: string;
	readonly friendlyName: string;
	readonly minVersion: number;
	readonly nonCpuIntensive: boolean;
	readonly homogeneousAppVersion: boolean;
}

export interface AppVersion {
	readonly id: number;
	readonly appId: number;
	readonly versionNum: number;
	readonly platformId: number;
	readonly platform: string;
	readonly planClass: string;
	readonly minCoreVersion: number;
	readonly maxCoreVersion: number;
}

/** What the feeder keeps in shared memory: apps, usable versions, platforms. */
export interface Catalog {
	readonly apps: ReadonlyMap<number, App>;
	readonly versions: readonly AppVersion[];
	readonly platforms: ReadonlyMap<string, number>;
}

/** Reads apps, versions and platforms that are not deprecated. */
export async function readCatalog(database: Database): Promise<Catalog> {
	const apps = await database.select(
		'SELECT id, name, user_friendly_name, min_version, non_cpu_intensive, homogeneous_app_version FROM app WHERE deprecated = 0',
	);
	const platforms = await database.select('SELECT id, name FROM platform WHERE deprecated = 0');
	const versions = await database.select(
		`SELECT v.id, v.appid, v.version_num, v.platformid, v.plan_class, v.min_core_version, v.max_core_version, p.name AS platform
			FROM app_version v JOIN platform p ON p.id = v.platformid WHERE v.deprecated = 0 AND p.deprecated = 0`,
	);
	const byId = new Map(
		apps.map((row): [number, App] => [
			numberOf(row, 'id'),
			{
				id: numberOf(row, 'id'),
				name: textOf(row, 'name'),
				friendlyName: textOf(row, 'user_friendly_name'),
				minVersion: numberOf(row, 'min_version'),
				nonCpuIntensive: numberOf(row, 'non_cpu_intensive') !== 0,
				homogeneousAppVersion: numberOf(row, 'homogeneous_app_version') !== 0,
			},
		]),
	);
	return {
		apps: byId,
		platforms: new Map(platforms.map((row) => [textOf(row, 'name'), numberOf(row, 'id')])),
		versions: usableVersions(
			versions.map((row) => ({
				id: numberOf(row, 'id'),
				appId: numberOf(row, 'appid'),
				versionNum: numberOf(row, 'version_num'),
				platformId: numberOf(row, 'platformid'),
				platform: textOf(row, 'platform'),
				planClass: textOf(row, 'plan_class'),
				minCoreVersion: numberOf(row, 'min_core_version'),
				maxCoreVersion: numberOf(row, 'max_core_version'),
			})),
			byId,
		),
	};
}

/**
 * Of each app, platform and plan class only the newest version is used; an app with a minimal version keeps all versions
 * from there on, for jobs that are bound to one. Newest first.
 */
export function usableVersions(versions: readonly AppVersion[], apps: ReadonlyMap<number, App>): readonly AppVersion[] {
	const newest = new Map<string, number>();
	const key = (version: AppVersion): string => `${version.appId} ${version.platformId} ${version.planClass}`;
	for (const version of versions) {
		newest.set(key(version), Math.max(newest.get(key(version)) ?? 0, version.versionNum));
	}
	return versions
		.filter((version) => {
			const app = apps.get(version.appId);
			if (!app || version.versionNum < app.minVersion) {
				return false;
			}
			return app.minVersion > 0 || version.versionNum === newest.get(key(version));
		})
		.sort((a, b) => b.versionNum - a.versionNum || a.id - b.id);
}
