import type { Database } from '../database.js';
import type { ProjectSettings } from '../projectSettings.js';
import type { ToolIo } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';

/** What one run of `update_versions` carries along. */
export interface UpdateRun {
	readonly settings: ProjectSettings;
	readonly database: Database;
	readonly io: ToolIo;
	readonly confirm: boolean;
	readonly verbose: boolean;
	/** Whether the person agreed to the use of the private key. */
	keyAllowed: boolean;
}

/** PHP's `die`: the text goes to standard output and the exit code is 0. */
export function dead(io: ToolIo, text: string): ToolExit {
	io.out(text);
	return new ToolExit(0);
}

/** Asks once a run before the private key is used. */
export async function allowKey(run: UpdateRun): Promise<void> {
	if (!run.confirm || run.keyAllowed) {
		return;
	}
	run.io.out(`
    NOTICE: files will be signed with your project's code-signing private key
    (keys/code_sign_private).
    We recommend that you encrypt it when done; see
    https://github.com/BOINC/boinc/wiki/Code-signing

    Continue (y/n)? `);
	if ((await run.io.line())?.trim() !== 'y') {
		throw new ToolExit(0);
	}
	run.keyAllowed = true;
}
