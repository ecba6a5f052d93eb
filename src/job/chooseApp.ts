import { BoincError } from '../common/errors.js';
import { plural } from '../common/format.js';
import { architecturesOf, equipmentOfApp, installedApps, versionNumFor } from '../project/apps.js';
import { type GpuNeeds, gpuWords, sameGpu } from '../project/gpu.js';
import type { Project } from '../project/project.js';
import type { InstalledApp } from '../project/types.js';
import type { BatchSpec } from './types.js';

/** An app, and the version number to pin jobs to, if only some of its versions run the image. */
export interface ChosenApp {
	readonly app: InstalledApp;
	readonly appVersionNum: number | undefined;
}

/** What the jobs of a batch ask of an app. */
export interface AppNeeds {
	/** Of the image. */
	readonly architecture: string;
	/** Processors; absent: whatever the app gives. */
	readonly cpus: number | undefined;
	/** Absent: none, and the app must give none. */
	readonly gpu: GpuNeeds | undefined;
}

/** What the jobs of a batch ask of an app. */
export const needsOf = ({ image, cpus, gpu }: Pick<BatchSpec, 'image' | 'cpus' | 'gpu'>): AppNeeds => ({
	architecture: image.config.architecture,
	cpus,
	gpu,
});

/** Finds the app of a batch and checks that it runs the image. Rejects with `app-missing` or `app-incomplete`. */
export async function chooseApp(
	project: Project,
	name: string,
	{ architecture, cpus, gpu }: AppNeeds,
	signal?: AbortSignal,
): Promise<ChosenApp> {
	const apps = await installedApps(project, signal);
	const app = apps.find((each) => each.name === name);
	if (!app) {
		throw new BoincError('app-missing', `The project ${project.name} has no app “${name}”.`, {
			remedy: 'Install the app first: Install App in the editor, or boinc2docker install.',
			detail: { app: name, installed: apps.map((each) => each.name).join(' ') },
		});
	}
	if (app.deprecated) {
		throw new BoincError(
			'app-incomplete',
			`The app “${name}” of ${project.name} is switched off (deprecated), so nobody gets its jobs.`,
			{
				remedy: 'Switch it on again, or use another app.',
				detail: { app: name },
			},
		);
	}
	const architectures = architecturesOf(app);
	const found = architectures.find((each) => each === architecture);
	if (!found) {
		const has =
			architectures.length === 0
				? 'no version for Docker, Podman or our virtual machine'
				: `only versions for ${architectures.join(' and ')}`;
		throw new BoincError(
			'app-incomplete',
			`The image is for ${architecture}, and the app “${name}” of ${project.name} has ${has}.`,
			{
				remedy:
					architectures.length === 0
						? 'Complete the app: Install App in the editor, or boinc2docker install.'
						: `Build the image for another platform, or install app versions for ${architecture}.`,
				detail: { app: name, architecture },
			},
		);
	}
	requireCpus(project, app, cpus);
	requireGpu(project, app, gpu);
	return { app, appVersionNum: architectures.length > 1 ? versionNumFor(app, found) : undefined };
}

function requireCpus(project: Project, app: InstalledApp, cpus: number | undefined): void {
	const has = equipmentOfApp(app).cpus;
	if (cpus !== undefined && cpus !== has) {
		throw new BoincError(
			'app-incomplete',
			`The jobs ask for ${plural(cpus, 'processor')}, and the app “${app.name}” of ${project.name} gives each job ${has}: in BOINC the number belongs to the app.`,
			{
				remedy: `Install an app for them, boinc2docker install --app NAME --cpus ${cpus}, and name it as app; or leave cpus out.`,
				detail: { app: app.name, cpus: has, asked: cpus },
			},
		);
	}
}

/** Jobs without one on an app with one would keep a GPU from others, and the container would not have it. */
function requireGpu(project: Project, app: InstalledApp, gpu: GpuNeeds | undefined): void {
	const has = equipmentOfApp(app).gpu;
	if (!sameGpu(has, gpu)) {
		throw new BoincError(
			'app-incomplete',
			`The jobs ask for ${gpuWords(gpu)}, and the app “${app.name}” of ${project.name} gives each job ${gpuWords(has)}: in BOINC the GPU belongs to the app.`,
			{
				remedy: gpu
					? 'Install an app for them: Install App in the editor, or boinc2docker install, with the same resources.gpu; give it a name of its own, and name it as app.'
					: 'Name another app, or say in resources.gpu what this one gives.',
				detail: { app: app.name },
			},
		);
	}
}
