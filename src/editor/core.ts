/**
 * The rooms below, as far as the editor uses them. Loaded by `await import()` on first use, so that activation stays quick.
 */
export { contentOfBytes } from '../common/content.js';
export { ServerConnections } from '../connection/serverConnections.js';
export { findEngine } from '../image/engine.js';
export { reproduce } from '../job/localRun/reproduce.js';
export { cancelJobs } from '../job/cancel.js';
export { setPriority } from '../job/priority.js';
export { retryFailed } from '../job/retry.js';
export { describeJobs } from '../job/describeJobs.js';
export { expandJobFile } from '../job/expandJobFile.js';
export { parseJobFile } from '../job/jobFile.js';
export { runnerScript } from '../job/runner.js';
export { submitContainer } from '../job/submitImage.js';
export { joinColumns } from '../monitor/batchPage/columns.js';
export { exportText } from '../monitor/batchPage/exportTable.js';
export { tableIds, tableRows } from '../monitor/batchPage/jobTable.js';
export { parameterColumns } from '../monitor/batchPage/parameterColumns.js';
export { batchSummary } from '../monitor/batchPage/summary.js';
export { explainFailure } from '../monitor/explain/failures.js';
export { explainWaiting } from '../monitor/explain/waiting.js';
export { hostFacts, inputXml, outputXml } from '../monitor/instanceFiles.js';
export { instanceLog } from '../monitor/instanceLog.js';
export { ProjectMonitor } from '../monitor/projectMonitor.js';
export { archivedResult } from '../monitor/results/archivedResult.js';
export { BatchResults } from '../monitor/results/batchResults.js';
export { unpackResult } from '../monitor/results/unpackResult.js';
export { installedApps } from '../project/apps.js';
export { findProjects } from '../project/findProjects.js';
export { applyInstall } from '../project/install/applyInstall.js';
export { planInstall } from '../project/install/planInstall.js';
export { openProject } from '../project/openProject.js';
export { listPacks } from '../project/packList.js';
export { programsFor } from '../project/programsFor.js';
export { removePacks } from '../project/removePacks.js';
export { resultsDirectory } from '../project/resultsDirectory.js';
