/**
 * The rooms below, as far as the editor uses them. Loaded by `await import()` on first use, so that activation stays quick.
 */
export { contentOfBytes } from '../common/content.js';
export { ServerConnections } from '../connection/serverConnections.js';
export { findEngine } from '../image/engine.js';
export { cancelBatch } from '../job/cancel.js';
export { runnerScript } from '../job/runner.js';
export { submitContainer } from '../job/submitImage.js';
export { fetchResults } from '../monitor/fetchResults.js';
export { instanceLog } from '../monitor/instanceLog.js';
export { ProjectMonitor } from '../monitor/projectMonitor.js';
export { parseAppFile } from '../project/appFile.js';
export { installedApps } from '../project/apps.js';
export { findProjects } from '../project/findProjects.js';
export { applyInstall } from '../project/install/applyInstall.js';
export { planInstall } from '../project/install/planInstall.js';
export { undoInstall } from '../project/install/undoInstall.js';
export { busyboxSources, choicesOf, DEFAULT_APP, programSources, saidSources } from '../project/installChoices.js';
export { openProject } from '../project/openProject.js';
export { listPacks } from '../project/packList.js';
export { programsFor } from '../project/programsFor.js';
export { removePacks } from '../project/removePacks.js';
export { resultsDirectory } from '../project/resultsDirectory.js';
