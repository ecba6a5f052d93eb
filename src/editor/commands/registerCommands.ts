import { type CommandId, COMMANDS } from '../../common/ids.js';
import type { CommandHandler, CommandManager, CommandOptions } from '../commandManager.js';
import type { Services } from '../services.js';

interface Entry extends CommandOptions {
	/** Loads the command on first use. */
	readonly load: () => Promise<CommandHandler<Services>>;
}

/** One run at a time, whatever it was called with. */
const once = { singleFlight: () => '' };

const ENTRIES: Readonly<Record<CommandId, Entry>> = {
	'boinc2docker.server.add': { load: async () => (await import('./server/add.js')).addServer, ...once },
	'boinc2docker.server.remove': { load: async () => (await import('./server/remove.js')).removeServer },
	'boinc2docker.app.install': { load: async () => (await import('./app/install.js')).installApp, ...once },
	'boinc2docker.app.undoInstall': { load: async () => (await import('./app/undoInstall.js')).undoInstallation, ...once },
	'boinc2docker.job.submit': { load: async () => (await import('./job/submit.js')).submitJob },
	'boinc2docker.batch.open': { load: async () => (await import('./batch/open.js')).openBatch },
	'boinc2docker.batch.openJobFile': { load: async () => (await import('./batch/openJobFile.js')).openBatchJobFile },
	'boinc2docker.job.preview': { load: async () => (await import('./job/preview.js')).previewJobs },
	'boinc2docker.job.runLocally': { load: async () => (await import('./job/runLocally.js')).runJobLocally },
	'boinc2docker.batch.cancel': { load: async () => (await import('./batch/cancel.js')).cancelBatches, ...once },
	'boinc2docker.batch.retryFailed': { load: async () => (await import('./batch/retry.js')).retryFailedJobs, ...once },
	'boinc2docker.batch.raiseBound': { load: async () => (await import('./batch/retry.js')).raiseBoundAndRetry, ...once },
	'boinc2docker.batch.setPriority': { load: async () => (await import('./batch/setPriority.js')).setJobPriority, ...once },
	'boinc2docker.batch.fetchResults': { load: async () => (await import('./batch/fetchResults.js')).fetchBatchResults, ...once },
	'boinc2docker.job.explainWaiting': { load: async () => (await import('./job/explain.js')).explainWaitingOf },
	'boinc2docker.job.explainFailure': { load: async () => (await import('./job/explain.js')).explainFailureOf },
	'boinc2docker.packs.remove': { load: async () => (await import('./packs/remove.js')).removeUnusedPacks, ...once },
	'boinc2docker.job.openResult': { load: async () => (await import('./job/openResult.js')).openResult },
	'boinc2docker.job.reproduce': { load: async () => (await import('./job/reproduce.js')).reproduceJob },
	'boinc2docker.job.saveCapsule': { load: async () => (await import('./job/saveCapsule.js')).saveCapsule },
	'boinc2docker.instance.showLog': { load: async () => (await import('./instance/showLog.js')).showInstanceLog },
	'boinc2docker.instance.showFullLog': { load: async () => (await import('./instance/showFullLog.js')).showFullInstanceLog },
	'boinc2docker.instance.showInput': { load: async () => (await import('./instance/showInput.js')).showInstanceInput },
	'boinc2docker.instance.showOutput': { load: async () => (await import('./instance/showOutput.js')).showInstanceOutput },
	'boinc2docker.instance.showHost': { load: async () => (await import('./instance/showHost.js')).showInstanceHost },
	'boinc2docker.view.refresh': { load: async () => (await import('./view/refresh.js')).refreshView },
	'boinc2docker.view.loadMore': { load: async () => (await import('./view/loadMore.js')).loadMore },
	'boinc2docker.view.group': { load: async () => (await import('./view/group.js')).groupJobsBy, ...once },
	'boinc2docker.view.sort': { load: async () => (await import('./view/sort.js')).sortBatches, ...once },
	'boinc2docker.view.filter': { load: async () => (await import('./view/filter.js')).filterBatches, ...once },
	'boinc2docker.image.build': { load: async () => (await import('./image/build.js')).buildImage },
	'boinc2docker.image.buildWithOptions': {
		load: async () => (await import('./image/buildWithOptions.js')).buildWithOptions,
		...once,
	},
	'boinc2docker.image.cancel': { load: async () => (await import('./image/cancel.js')).cancelImageWork, ...once },
	'boinc2docker.image.showCost': { load: async () => (await import('./image/showCost.js')).showImageCost },
	'boinc2docker.image.push': { load: async () => (await import('./image/push.js')).pushImage },
	'boinc2docker.image.pushToRegistry': { load: async () => (await import('./image/pushToRegistry.js')).pushImageToRegistry },
	'boinc2docker.image.logIn': { load: async () => (await import('./image/logIn.js')).logInToRegistry, ...once },
	'boinc2docker.image.choose': { load: async () => (await import('./image/choose.js')).chooseImage, ...once },
	'boinc2docker.image.showBuildLog': { load: async () => (await import('./image/showBuildLog.js')).showBuildLog },
	'boinc2docker.image.add': { load: async () => (await import('./image/add.js')).addDockerfile, ...once },
	'boinc2docker.image.refresh': { load: async () => (await import('./image/refresh.js')).refreshImages, ...once },
	'boinc2docker.log.show': { load: async () => (await import('./log/show.js')).showLog },
	'boinc2docker.diagnostics.copy': { load: async () => (await import('./diagnostics/copy.js')).copyDiagnostics },
};

/** Registers every command of the manifest. */
export function registerCommands(commands: CommandManager<Services>): void {
	for (const id of COMMANDS) {
		const { load, ...options } = ENTRIES[id];
		commands.register(id, load, options);
	}
}
