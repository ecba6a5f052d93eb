import { type Equipment, equipmentOf } from './ownPlanClasses.js';
import type { Project } from './project.js';
import type { Architecture, InstalledApp, Platform, Runtime } from './types.js';
import { PLATFORMS } from './types.js';

interface AppRow {
	readonly id: number;
	readonly name: string;
	readonly user_friendly_name: string;
	readonly deprecated: number;
}

/** One row of `app_version`, without its XML. */
export interface AppVersionRow {
	readonly id: number;
	readonly appid: number;
	readonly version_num: number;
	readonly platform: string;
	readonly plan_class: string;
	/** Whether our runner is among its files; 0 or 1. */
	readonly has_runner: number;
}

const CURRENT_VERSIONS = `
	SELECT av.id, av.appid, av.version_num, p.name AS platform, av.plan_class, INSTR(av.xml_doc, 'b2d_runner_') > 0 AS has_runner
	FROM app_version av JOIN platform p ON p.id = av.platformid
	WHERE av.deprecated = 0 AND av.appid IN (?) ORDER BY av.version_num DESC, av.id`;

/** All apps of the project with the newest usable version of each platform and plan class. Two statements. */
export async function installedApps(project: Project, signal?: AbortSignal): Promise<InstalledApp[]> {
	const database = await project.database();
	const apps = await database.select<AppRow>(
		'SELECT id, name, user_friendly_name, deprecated FROM app ORDER BY name',
		[],
		signal,
	);
	const rows =
		apps.length === 0 ? [] : await database.select<AppVersionRow>(CURRENT_VERSIONS, [apps.map((app) => app.id)], signal);
	return apps.map((app) => {
		const newest = new Map<string, AppVersionRow>();
		for (const row of rows) {
			const key = `${row.platform}__${row.plan_class}`;
			if (row.appid === app.id && !newest.has(key)) {
				newest.set(key, row);
			}
		}
		return {
			id: app.id,
			name: app.name,
			friendlyName: app.user_friendly_name,
			deprecated: app.deprecated !== 0,
			versions: [...newest.values()].map((row) => ({
				versionNum: row.version_num,
				platform: row.platform,
				planClass: row.plan_class,
				runtime: runtimeOf(row.plan_class, row.has_runner !== 0),
			})),
		};
	});
}

/** Architecture of the Linux containers that hosts of a platform run. */
export function architectureOf(platform: Platform): Architecture {
	return platform === 'aarch64-unknown-linux-gnu' || platform === 'windows_arm64' || platform === 'arm64-apple-darwin'
		? 'arm64'
		: 'amd64';
}

/** Whether a plan class makes the client run the job with Docker or Podman: BOINC goes by the name. */
export function isContainerClass(planClass: string): boolean {
	return planClass.includes('docker');
}

/** How a version runs our jobs; `undefined` if it does not. Virtual machines are ours if they bring our runner. */
export function runtimeOf(planClass: string, hasRunner: boolean): Runtime | undefined {
	if (isContainerClass(planClass)) {
		return 'docker';
	}
	return planClass.includes('vbox') && hasRunner ? 'vm' : undefined;
}

function isPlatform(name: string): name is Platform {
	return PLATFORMS.some((platform) => platform === name);
}

/** Architectures of the images that the app's versions run. */
export function architecturesOf(app: InstalledApp): Architecture[] {
	const found = new Set<Architecture>();
	for (const { platform, runtime } of app.versions) {
		if (runtime && isPlatform(platform)) {
			found.add(architectureOf(platform));
		}
	}
	return [...found].sort();
}

/** What the app gives each job: by the class of its versions. */
export function equipmentOfApp(app: InstalledApp): Equipment {
	const given = app.versions.filter(({ runtime }) => runtime).map(({ planClass }) => equipmentOf(planClass));
	return { cpus: Math.max(1, ...given.map(({ cpus }) => cpus)), gpu: given.find(({ gpu }) => gpu)?.gpu };
}

/** Whether some hosts may get the app's jobs for a virtual machine. */
export function usesMachines(app: InstalledApp): boolean {
	return app.versions.some(({ runtime }) => runtime === 'vm');
}

/**
 * The version number to pin a job to (`create_work --app_version_num`) so that only hosts of `architecture` get it; the
 * numbers of amd64 versions are even, those of arm64 versions odd. Where the runtimes have different numbers, that of the
 * containers. `undefined` when the app has no such version.
 */
export function versionNumFor(app: InstalledApp, architecture: Architecture): number | undefined {
	const fitting = app.versions.filter(
		({ platform, runtime }) => runtime && isPlatform(platform) && architectureOf(platform) === architecture,
	);
	const containers = fitting.filter(({ runtime }) => runtime === 'docker');
	const numbers = (containers.length > 0 ? containers : fitting).map(({ versionNum }) => versionNum);
	return numbers.length === 0 ? undefined : Math.max(...numbers);
}
