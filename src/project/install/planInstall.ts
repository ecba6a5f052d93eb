import path from 'node:path';

import assimilatorScript from '../../../templates/assimilator.sh';
import { contentOfBytes } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { editConfigXml, type EditedFile, editProjectXml } from '../configEdit.js';
import { type DaemonState, daemonStatus, projectSwitch } from '../daemons.js';
import { requireTools } from '../openProject.js';
import type { Project } from '../project.js';
import { assimilatorName, type DaemonPlan, planDaemons } from './daemonWishes.js';
import { lineDiff } from './diff.js';
import { isNeededBy } from './neededDaemons.js';
import type { InstallPlan, InstallStep, PlannedFile } from './plan.js';
import { classWarnings, editClasses } from './planClassFile.js';
import { PLATFORM_NAMES } from './platformNames.js';
import { signVersions } from './signVersions.js';
import { checkGpu, checkSpec, equipmentOfSpec, formatVersion, type InstallSpec, platformsOf, runtimesOf } from './spec.js';
import { foreignXaddChanges, pendingVersions, type Survey, surveyServer } from './survey.js';
import { wantedNames } from './versionFiles.js';
import { equipmentFor, planVersions, type VersionPlan } from './versions.js';

/**
 * Works out what installing the app takes; changes nothing. A second run after a successful one gives an empty plan.
 * Rejects with `install-failed`, `wrapper-missing`, `tool-missing`, `conflicting-change`, `config-invalid`, database or
 * connection errors.
 */
export async function planInstall(project: Project, asked: InstallSpec, ctx: OperationContext): Promise<InstallPlan> {
	checkSpec(asked);
	await project.reload();
	const daemonPlan = planDaemons(asked, project.config.daemons);
	await requireTools(project, 'install an app', ctx.signal, daemonPlan.programs);
	const names = wantedNames(asked);
	const script = `bin/${assimilatorName(asked.app)}`;
	const setting = `.boinc2docker/results_${asked.app}`;
	const survey = await surveyServer(project, asked.app, [...names.keys()], [script, setting], ctx);
	const { cpus, gpu } = equipmentFor(asked, survey.versions);
	const spec = { ...asked, cpus, ...(gpu && { gpu }) };
	checkGpu(spec);
	refuseForeignEntries(survey, spec.app);
	const planned = planVersions(spec, survey.versions, survey.downloads);
	refuseUnwritable(survey, planned, project);
	const versions = { ...planned, create: await signVersions(project, spec, survey, planned.create) };
	const appRow = planAppRow(spec, survey, versions);
	const resultsDir = path.posix.resolve(project.root, spec.resultsDir ?? `results/${spec.app}`);
	const files = [
		...(daemonPlan.collects ? collectorFiles(survey, script, setting, resultsDir) : []),
		...planXmlFiles(spec, survey, appRow.minVersion),
	];
	const config = editedFile('config.xml', survey, editConfigXml(survey.texts.get('config.xml') ?? '', daemonPlan.wishes));
	const states = await daemonStatus(project, ctx.signal);
	const plan = {
		app: spec.app,
		files,
		config: config?.file,
		appRow: appRow.needed ? appRow : undefined,
		platforms: platformsOf(spec),
		versions: versions.create,
		upToDate: versions.upToDate.map(
			({ platform, runtime, versionNum }) =>
				`${formatVersion(versionNum)} for ${platform}${runtime === 'vm' ? ' with VirtualBox' : ''}`,
		),
		daemons: daemonAction(config, states.filter(isNeededBy(spec.app))),
		resultsDir,
	};
	const steps = describeSteps(project, plan, states);
	return {
		...plan,
		isEmpty: steps.length === 0,
		steps,
		warnings: await collectWarnings(project, spec, survey, versions, daemonPlan, ctx),
	};
}

/** `bin/update_versions` stops at the first entry of `apps/` that is no app, and adds nothing. */
function refuseForeignEntries(survey: Survey, app: string): void {
	const foreign = survey.appEntries.filter((entry) => entry !== app && !survey.apps.some((row) => row.name === entry));
	if (foreign.length > 0) {
		throw new BoincError(
			'conflicting-change',
			`The folder apps/ of the project holds ${foreign.join(', ')}, which is no app of the project; BOINC’s update_versions stops at such entries.`,
			{
				remedy: 'Move them out of apps/, or add the apps to project.xml and run bin/xadd.',
				detail: { entries: foreign.join(' ') },
			},
		);
	}
}

function refuseUnwritable(survey: Survey, versions: VersionPlan, project: Project): void {
	const unwritable = survey.unwritable.filter((place) => place !== 'bin' || versions.create.length > 0);
	if (unwritable.length > 0) {
		throw new BoincError(
			'permission-denied',
			`This account may not write to ${unwritable.join(', ')} in ${project.root} on ${project.connection.name}.`,
			{
				remedy: 'Use the account that the project runs under.',
				detail: { paths: unwritable.join(' ') },
			},
		);
	}
}

interface AppRowPlan {
	readonly needed: boolean;
	readonly friendlyName: string;
	readonly minVersion: number;
	readonly isNew: boolean;
	readonly revive: boolean;
}

/**
 * `min_version` above 0 keeps older versions available, so that jobs which are pinned to one can still be sent after an
 * upgrade. It is the lowest version in use, so nothing that is sent today is lost.
 */
function planAppRow(spec: InstallSpec, survey: Survey, versions: VersionPlan): AppRowPlan {
	const row = survey.apps.find((each) => each.name === spec.app);
	const inUse = survey.versions.filter((version) => !version.deprecated).map((version) => version.versionNum);
	const fresh = [...versions.create, ...versions.upToDate].map((version) => version.versionNum);
	const lowest = Math.min(...inUse, ...fresh);
	const minVersion = row && row.minVersion > 0 ? Math.min(row.minVersion, lowest) : lowest;
	return {
		friendlyName: spec.friendlyName,
		minVersion,
		isNew: !row,
		revive: row?.deprecated ?? false,
		needed: row?.friendlyName !== spec.friendlyName || row.minVersion !== minVersion || row.deprecated,
	};
}

function collectorFiles(survey: Survey, script: string, setting: string, resultsDir: string): PlannedFile[] {
	const wanted = [
		{ name: script, after: assimilatorScript, mode: 0o755 },
		{ name: setting, after: `${resultsDir}\n`, mode: 0o644 },
	];
	return wanted.flatMap((file) => {
		const before = survey.texts.get(file.name);
		return before === file.after ? [] : [{ ...file, before }];
	});
}

interface PlannedEdit {
	readonly file: PlannedFile;
	/** Whether something that was there is changed, not only added to. */
	readonly replaces: boolean;
}

function editedFile(name: string, survey: Survey, edited: EditedFile): PlannedEdit | undefined {
	if (edited.changes.length === 0) {
		return undefined;
	}
	const before = survey.texts.get(name);
	return {
		file: { name, before, after: edited.text, mode: 0o644, ...(before !== undefined && { edits: edited.edits }) },
		replaces: edited.edits.some((edit) => edit.end > edit.start),
	};
}

function planXmlFiles(spec: InstallSpec, survey: Survey, minVersion: number): PlannedFile[] {
	const platforms = platformsOf(spec)
		.filter((name) => !survey.platforms.includes(name))
		.map((name) => ({ name, friendlyName: PLATFORM_NAMES[name] }));
	const projectXml = editProjectXml(survey.texts.get('project.xml') ?? '<boinc>\n</boinc>\n', {
		app: { name: spec.app, friendlyName: spec.friendlyName, minVersion },
		platforms,
	});
	const classes = survey.texts.get('plan_class_spec.xml');
	return [
		editedFile('plan_class_spec.xml', survey, editClasses(classes, survey.planClasses, runtimesOf(spec), equipmentOfSpec(spec))),
		editedFile('project.xml', survey, projectXml),
	].flatMap((edit) => (edit ? [edit.file] : []));
}

function daemonAction(config: PlannedEdit | undefined, states: readonly DaemonState[]): InstallPlan['daemons'] {
	if (config?.replaces) {
		return 'restart';
	}
	return config || states.some((state) => state.condition === 'dead') ? 'start' : 'nothing';
}

function describeSteps(
	project: Project,
	plan: Omit<InstallPlan, 'isEmpty' | 'steps' | 'warnings'>,
	states: readonly DaemonState[],
): InstallStep[] {
	const fileStep = (file: PlannedFile): InstallStep => ({
		title: `${file.before === undefined ? 'Create' : 'Change'} ${file.name}`,
		// Our own scripts are shown by what they are for; files of the project as a diff.
		detail: file.name.startsWith('bin/')
			? `our script that collects results: ${file.after.split('\n').length} lines, SHA-256 ${contentOfBytes(file.after).sha256}`
			: lineDiff(file.before ?? '', file.after),
	});
	const steps = plan.files.map(fileStep);
	if (plan.appRow || plan.files.some((file) => file.name === 'project.xml')) {
		const { appRow } = plan;
		const row = appRow
			? `\napp: name ${plan.app}, “${appRow.friendlyName}”, min_version ${appRow.minVersion}${appRow.revive ? ', no longer deprecated' : ''}`
			: '';
		steps.push({ title: `Bring the app ${plan.app} into the database`, detail: `cd ${project.root} && bin/xadd${row}` });
	}
	for (const version of plan.versions) {
		const files = version.files.map(
			(file) => `${file.physicalName}  ${String(file.content.size)} bytes  SHA-256 ${file.content.sha256}`,
		);
		steps.push({ title: `Send the app version apps/${plan.app}/${version.directory}`, detail: files.join('\n') });
	}
	if (plan.versions.length > 0) {
		const signedHere = plan.versions.every(({ files }) => files.every(({ signature }) => signature !== undefined));
		steps.push({
			title: signedHere ? 'Register the app versions, signed on this computer' : 'Sign and register the app versions',
			detail: `cd ${project.root} && bin/update_versions --noconfirm`,
		});
	}
	if (plan.config) {
		steps.push(fileStep({ ...plan.config, before: redact(plan.config.before ?? ''), after: redact(plan.config.after) }));
	}
	if (plan.daemons !== 'nothing') {
		const dead = states.filter((state) => state.condition === 'dead').map((state) => state.command);
		steps.push({
			title: plan.daemons === 'restart' ? 'Restart the daemons' : 'Start the daemons that do not run',
			detail: `cd ${project.root} && ${plan.daemons === 'restart' ? 'bin/stop; ' : ''}bin/start${dead.map((command) => `\nnot running: ${command}`).join('')}`,
		});
	}
	return steps;
}

/** A diff is shown to people: the passwords of `config.xml` are not. */
function redact(config: string): string {
	return config.replace(/(<(\w*passwd|\w*password|recaptcha_private_key)>)[^<]*/g, '$1…');
}

async function collectWarnings(
	project: Project,
	spec: InstallSpec,
	survey: Survey,
	versions: VersionPlan,
	daemons: DaemonPlan,
	ctx: OperationContext,
): Promise<string[]> {
	const warnings = [...versions.warnings, ...daemons.warnings];
	if (versions.create.length > 0) {
		const others = pendingVersions(survey).filter((directory) => !directory.startsWith(`${spec.app}/`));
		warnings.push(
			...others.map(
				(directory) => `bin/update_versions will also add apps/${directory}, which is prepared but not in the database.`,
			),
		);
	}
	warnings.push(...(await foreignXaddChanges(survey, spec.app)));
	const { host, stopped } = await projectSwitch(project, ctx.signal);
	if (project.config.host !== '' && host !== '' && project.config.host !== host) {
		warnings.push(
			`The daemons of the project belong to the machine ${project.config.host}, and this is ${host}: they cannot be started from here.`,
		);
	}
	if (stopped) {
		warnings.push('The project is stopped at present; installing starts its daemons.');
	}
	if (project.config.dontSendJobs) {
		warnings.push('The project sends no jobs at present: dont_send_jobs is set in config.xml.');
	}
	const classes = survey.texts.get('plan_class_spec.xml');
	return [...warnings, ...classWarnings(classes, survey.planClasses, runtimesOf(spec), equipmentOfSpec(spec))];
}
