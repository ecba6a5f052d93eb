import type { DaemonState } from '../daemons.js';
import type { TextEdit } from '../xmlEdit.js';
import type { NewVersion } from './versions.js';

/** One thing that the installation does, as a person reads it. */
export interface InstallStep {
	readonly title: string;
	/** A diff, a command, or what is sent. */
	readonly detail: string;
}

/** A text file below the project's folder that is created or changed. */
export interface PlannedFile {
	/** Relative to the project's folder. */
	readonly name: string;
	/** What it holds now; absent when it does not exist. */
	readonly before: string | undefined;
	readonly after: string;
	/** Permission bits if it is created. */
	readonly mode: number;
	/** How `before` becomes `after`, where that is a few edits. */
	readonly edits?: readonly TextEdit[];
}

/** What an installation will do. Made by `planInstall`; nothing has been changed yet. */
export interface InstallPlan {
	/** Nothing to do: what was asked for is installed and runs. */
	readonly isEmpty: boolean;
	readonly steps: readonly InstallStep[];
	/** Sentences that a person should read before applying. */
	readonly warnings: readonly string[];
	readonly app: string;
	/** Files that are changed before app versions are made; `config.xml` comes last, after them. */
	readonly files: readonly PlannedFile[];
	readonly config: PlannedFile | undefined;
	/** Values that the app's row must get; `undefined` when it has them. */
	readonly appRow:
		{ readonly friendlyName: string; readonly minVersion: number; readonly isNew: boolean; readonly revive: boolean } | undefined;
	/** Platforms that must be in the database. */
	readonly platforms: readonly string[];
	readonly versions: readonly NewVersion[];
	/** Versions that were installed before and stay. */
	readonly upToDate: readonly string[];
	/** `start` leaves running daemons alone; `restart` is for changed commands. */
	readonly daemons: 'nothing' | 'start' | 'restart';
	/** Absolute path where results are collected. */
	readonly resultsDir: string;
}

/** The plan as text: what is done, with diffs, then what to know. */
export function describePlan(plan: InstallPlan): string {
	const steps = plan.isEmpty
		? [`Nothing to do: ${plan.app} is installed and runs.`]
		: plan.steps.map((step, index) => `${String(index + 1)}. ${step.title}\n${step.detail.replace(/^/gm, '   ')}`);
	const warnings = plan.warnings.map((warning) => `Note: ${warning}`);
	return [...steps, ...warnings].join('\n\n');
}

/** What an installation did. */
export interface InstallReport {
	readonly app: string;
	/** `app.id`. */
	readonly appId: number;
	/** For `undoInstall`; absent when nothing had to be done. */
	readonly backupId: string | undefined;
	/** Rows of `app_version` that were added. */
	readonly versions: readonly {
		readonly id: number;
		readonly platform: string;
		readonly planClass: string;
		readonly versionNum: number;
	}[];
	readonly daemons: readonly DaemonState[];
	/** Plain sentences. */
	readonly notes: readonly string[];
}
