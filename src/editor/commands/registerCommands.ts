import { type CommandId, COMMANDS } from '../../common/ids.js';
import type { CommandManager } from '../commandManager.js';
import type { Services } from '../services.js';

/** Commands that run one at a time, whatever they are called with. */
const ONCE: ReadonlySet<CommandId> = new Set<CommandId>([
	'boinc2docker.server.add',
	'boinc2docker.app.install',
	'boinc2docker.app.undoInstall',
	'boinc2docker.batch.cancel',
	'boinc2docker.batch.retryFailed',
	'boinc2docker.batch.raiseBound',
	'boinc2docker.batch.setPriority',
	'boinc2docker.batch.fetchResults',
	'boinc2docker.packs.remove',
	'boinc2docker.view.group',
	'boinc2docker.view.sort',
	'boinc2docker.view.filter',
	'boinc2docker.image.buildWithOptions',
	'boinc2docker.image.cancel',
	'boinc2docker.image.logIn',
	'boinc2docker.image.choose',
	'boinc2docker.image.add',
	'boinc2docker.image.refresh',
]);

/** Registers every command of the manifest. What they do is loaded with the first that runs. */
export function registerCommands(commands: CommandManager<Services>): void {
	for (const id of COMMANDS) {
		const load = async () => (await import('../onDemand.js')).HANDLERS[id];
		commands.register(id, load, ONCE.has(id) ? { singleFlight: () => '' } : {});
	}
}
