import type { DaemonWish } from '../configEdit.js';
import { daemonApp, daemonProgram, daemonRole } from '../daemonCommand.js';
import type { DaemonEntry } from '../types.js';
import type { InstallSpec, ValidatorChoice } from './spec.js';

/** Name of our collecting script in the project's `bin/`. It tells its app from this name. */
export function assimilatorName(app: string): string {
	return `b2d_assimilate_${app}`;
}

function validatorCommand(app: string, choice: Exclude<ValidatorChoice, 'none'>): string {
	if (choice === 'trivial' || choice === 'bitwise') {
		return `sample_${choice}_validator --app ${app} -d 3`;
	}
	// The name alone: BOINC's program loses the arguments of scripts.
	const scripts = [
		...(choice.initScript === undefined ? [] : ['--init_script', choice.initScript]),
		...(choice.compareScript === undefined ? [] : ['--compare_script', choice.compareScript]),
	];
	return `script_validator --app ${app} -d 3 ${scripts.join(' ')}`;
}

export interface DaemonPlan {
	readonly wishes: readonly DaemonWish[];
	/** Programs in `bin/` that the wishes run. */
	readonly programs: readonly string[];
	/** Whether our collecting script runs for the app. */
	readonly collects: boolean;
	readonly warnings: readonly string[];
}

/**
 * The two daemons of an app. What the app has already is kept, for two validators of one app would race with each
 * other; our own entries (known by their log and pid file) follow an explicit choice.
 */
export function planDaemons(spec: InstallSpec, existing: readonly DaemonEntry[]): DaemonPlan {
	const warnings: string[] = [];
	const wishes: DaemonWish[] = [];
	const decide = (role: 'validator' | 'assimilator', chosen: string | undefined, preset: string): void => {
		const entries = existing.filter((entry) => daemonApp(entry.command) === spec.app && daemonRole(entry.command) === role);
		const output = `${role}_${spec.app}.log`;
		const pidFile = `${role}_${spec.app}.pid`;
		const own = entries.find((entry) => entry.output === output && entry.pidFile === pidFile);
		const foreign = entries.find((entry) => entry !== own);
		if (foreign) {
			if (chosen !== undefined && chosen !== foreign.command) {
				warnings.push(
					`The app keeps its ${role} “${foreign.command}”; remove it from config.xml to use ${daemonProgram(chosen)}.`,
				);
			}
		} else if (chosen !== undefined || !own) {
			wishes.push({ command: chosen ?? preset, output, pidFile });
		}
		if (own?.disabled) {
			warnings.push(`The ${role} of ${spec.app} is disabled in config.xml.`);
		}
	};
	if (spec.validator === 'none') {
		warnings.push(...without(spec.app, 'validator', existing, 'results will wait for validation for ever'));
	} else {
		decide('validator', spec.validator && validatorCommand(spec.app, spec.validator), validatorCommand(spec.app, 'trivial'));
	}
	const collector = (script: string): string => `script_assimilator --app ${spec.app} -d 3 --script ${script}`;
	const collect = collector(assimilatorName(spec.app));
	const ownScript = typeof spec.assimilator === 'object' ? spec.assimilator.script : undefined;
	if (spec.assimilator === 'none') {
		warnings.push(...without(spec.app, 'assimilator', existing, 'results will not be collected'));
	} else {
		const chosen = ownScript === undefined ? collect : collector(ownScript);
		decide('assimilator', spec.assimilator && chosen, collect);
	}
	// A wish replaces the entry that writes the same log.
	const commands = [
		...existing
			.filter((entry) => daemonApp(entry.command) === spec.app && !wishes.some((wish) => wish.output === entry.output))
			.map((entry) => entry.command),
		...wishes.map((wish) => wish.command),
	];
	const collects = commands.includes(collect);
	if (!collects && spec.assimilator !== 'none') {
		warnings.push(`The assimilator of ${spec.app} is not ours, so its results are where that program puts them.`);
	}
	const scripts = wishes.flatMap(({ command }) => [...command.matchAll(/ --\w*script (\S+)/g)].map((match) => match[1] ?? ''));
	const programs = [
		...wishes.map((wish) => daemonProgram(wish.command)),
		...scripts.filter((script) => script !== assimilatorName(spec.app)),
	];
	return { wishes, programs: [...new Set(programs)], collects, warnings };
}

function without(app: string, role: 'validator' | 'assimilator', existing: readonly DaemonEntry[], effect: string): string[] {
	const has = existing.some((entry) => daemonApp(entry.command) === app && daemonRole(entry.command) === role);
	return has ? [] : [`The app ${app} has no ${role}: ${effect}.`];
}
