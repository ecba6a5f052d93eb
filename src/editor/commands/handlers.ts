import type { CommandId } from '../../common/ids.js';
import type { CommandHandler } from '../commandManager.js';
import type { Services } from '../services.js';
import { installApp } from './app/install.js';
import { undoInstallation } from './app/undoInstall.js';
import { cancelBatches } from './batch/cancel.js';
import { fetchBatchResults } from './batch/fetchResults.js';
import { openBatch } from './batch/open.js';
import { openBatchJobFile } from './batch/openJobFile.js';
import { raiseBoundAndRetry, retryFailedJobs } from './batch/retry.js';
import { setJobPriority } from './batch/setPriority.js';
import { copyDiagnostics } from './diagnostics/copy.js';
import { addDockerfile } from './image/add.js';
import { buildImage } from './image/build.js';
import { buildWithOptions } from './image/buildWithOptions.js';
import { cancelImageWork } from './image/cancel.js';
import { chooseImage } from './image/choose.js';
import { logInToRegistry } from './image/logIn.js';
import { pushImage } from './image/push.js';
import { pushImageToRegistry } from './image/pushToRegistry.js';
import { refreshImages } from './image/refresh.js';
import { showBuildLog } from './image/showBuildLog.js';
import { showImageCost } from './image/showCost.js';
import { showFullInstanceLog } from './instance/showFullLog.js';
import { showInstanceHost } from './instance/showHost.js';
import { showInstanceInput } from './instance/showInput.js';
import { showInstanceLog } from './instance/showLog.js';
import { showInstanceOutput } from './instance/showOutput.js';
import { explainFailureOf, explainWaitingOf } from './job/explain.js';
import { openResult } from './job/openResult.js';
import { previewJobs } from './job/preview.js';
import { reproduceJob } from './job/reproduce.js';
import { runJobLocally } from './job/runLocally.js';
import { saveCapsule } from './job/saveCapsule.js';
import { submitJob } from './job/submit.js';
import { showLog } from './log/show.js';
import { removeUnusedPacks } from './packs/remove.js';
import { addServer } from './server/add.js';
import { removeServer } from './server/remove.js';
import { filterBatches } from './view/filter.js';
import { groupJobsBy } from './view/group.js';
import { loadMore } from './view/loadMore.js';
import { refreshView } from './view/refresh.js';
import { sortBatches } from './view/sort.js';

/** What each command does. */
export const HANDLERS: Readonly<Record<CommandId, CommandHandler<Services>>> = {
	'boinc2docker.server.add': addServer,
	'boinc2docker.server.remove': removeServer,
	'boinc2docker.app.install': installApp,
	'boinc2docker.app.undoInstall': undoInstallation,
	'boinc2docker.job.submit': submitJob,
	'boinc2docker.batch.open': openBatch,
	'boinc2docker.batch.openJobFile': openBatchJobFile,
	'boinc2docker.job.preview': previewJobs,
	'boinc2docker.job.runLocally': runJobLocally,
	'boinc2docker.batch.cancel': cancelBatches,
	'boinc2docker.batch.retryFailed': retryFailedJobs,
	'boinc2docker.batch.raiseBound': raiseBoundAndRetry,
	'boinc2docker.batch.setPriority': setJobPriority,
	'boinc2docker.batch.fetchResults': fetchBatchResults,
	'boinc2docker.job.explainWaiting': explainWaitingOf,
	'boinc2docker.job.explainFailure': explainFailureOf,
	'boinc2docker.packs.remove': removeUnusedPacks,
	'boinc2docker.job.openResult': openResult,
	'boinc2docker.job.reproduce': reproduceJob,
	'boinc2docker.job.saveCapsule': saveCapsule,
	'boinc2docker.instance.showLog': showInstanceLog,
	'boinc2docker.instance.showFullLog': showFullInstanceLog,
	'boinc2docker.instance.showInput': showInstanceInput,
	'boinc2docker.instance.showOutput': showInstanceOutput,
	'boinc2docker.instance.showHost': showInstanceHost,
	'boinc2docker.view.refresh': refreshView,
	'boinc2docker.view.loadMore': loadMore,
	'boinc2docker.view.group': groupJobsBy,
	'boinc2docker.view.sort': sortBatches,
	'boinc2docker.view.filter': filterBatches,
	'boinc2docker.image.build': buildImage,
	'boinc2docker.image.buildWithOptions': buildWithOptions,
	'boinc2docker.image.cancel': cancelImageWork,
	'boinc2docker.image.showCost': showImageCost,
	'boinc2docker.image.push': pushImage,
	'boinc2docker.image.pushToRegistry': pushImageToRegistry,
	'boinc2docker.image.logIn': logInToRegistry,
	'boinc2docker.image.choose': chooseImage,
	'boinc2docker.image.showBuildLog': showBuildLog,
	'boinc2docker.image.add': addDockerfile,
	'boinc2docker.image.refresh': refreshImages,
	'boinc2docker.log.show': showLog,
	'boinc2docker.diagnostics.copy': copyDiagnostics,
};
