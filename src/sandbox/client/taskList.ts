/** A task as `boinccmd --get_tasks` shows it. */
export interface ClientTask {
	readonly name: string;
	readonly wuName: string;
	/** `downloading`, `downloaded`, `uploading`, `uploaded`, `compute error`, `aborted` … */
	readonly state: string;
	/** `uninitialized`, `preempted`, `scheduled`. */
	readonly schedulerState: string;
	/** `EXECUTING`, `SUSPENDED`, `UNINITIALIZED` … */
	readonly activeState: string;
	readonly exitStatus: number;
	readonly readyToReport: boolean;
	/** 0…1. */
	readonly fractionDone: number;
	/** -1 while the task has none. */
	readonly slot: number;
}

/** Reads the output of `boinccmd --get_tasks`. */
export function parseTaskList(output: string): ClientTask[] {
	return output
		.split(/^\d+\) -+$/m)
		.slice(1)
		.map((block) => {
			const fields = new Map(
				block.split('\n').flatMap((line): [string, string][] => {
					const match = /^\s+([A-Za-z_ ]+?):\s*(.*)$/.exec(line);
					return match ? [[match[1] ?? '', match[2] ?? '']] : [];
				}),
			);
			const text = (name: string): string => fields.get(name) ?? '';
			const number = (name: string, otherwise: number): number => {
				const value = Number.parseFloat(text(name));
				return Number.isFinite(value) ? value : otherwise;
			};
			return {
				name: text('name'),
				wuName: text('WU name'),
				state: text('state'),
				schedulerState: text('scheduler state'),
				activeState: text('active_task_state'),
				exitStatus: number('exit_status', 0),
				readyToReport: text('ready to report') === 'yes',
				fractionDone: number('fraction done', 0),
				slot: number('slot', -1),
			};
		});
}

/** Names of the files in the output of `boinccmd --get_file_transfers`. */
export function parseTransferNames(output: string): string[] {
	return [...output.matchAll(/^\s+name: (\S+)$/gm)].map((match) => match[1] ?? '');
}
