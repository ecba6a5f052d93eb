import type { Clock, OperationContext, Prompts } from '../common/ports.js';
import type * as core from './core.js';
import type { ReadonlyDocuments } from './documents/readonlyDocuments.js';
import type { ExplanationDocuments } from './explanations/explanationDocuments.js';
import type { ImagesModel } from './images/imagesModel.js';
import type { BatchPanels } from './panels/batch/batchPanels.js';
import type { SeenBatches } from './panels/batch/seenBatches.js';
import type { ImagesView } from './panels/images/imagesView.js';
import type { EditorLog } from './ports/editorLog.js';
import type { BatchFetcher } from './results/batchFetcher.js';
import type { ServerAccess } from './servers/serverAccess.js';
import type { ServerModels } from './servers/serverModels.js';
import type { ServerStore, Storage } from './servers/serverStore.js';
import type { WatchedBatches } from './status/watchedBatches.js';
import type { JobsTree } from './tree/jobsTree.js';
import type { JobsView } from './tree/jobsView.js';
import type { ViewOptions } from './tree/viewOptions.js';

/** The rooms below, once they are loaded. */
export type Core = typeof core;

/** What commands work with; the container makes it. */
export interface Services {
	readonly version: string;
	readonly log: EditorLog;
	readonly clock: Clock;
	readonly prompts: Prompts;
	/** Of this computer. */
	readonly globalState: Storage;
	/** Of this workspace: last choices. */
	readonly workspaceState: Storage;
	/** File that remembers the hashes of programs that were fetched. */
	readonly pinFile: string;
	/** Folder for what is known of layers and of packs on servers; it may be emptied at any time. */
	readonly cacheDir: string;
	/** Where `npm run iso` puts the ISO for virtual machines; it does not come with the extension. */
	readonly builtIso: string;
	readonly servers: ServerStore;
	readonly access: ServerAccess;
	readonly models: ServerModels;
	readonly watched: WatchedBatches;
	readonly tree: JobsTree;
	readonly view: JobsView;
	readonly treeOptions: ViewOptions;
	readonly documents: ReadonlyDocuments;
	readonly explanations: ExplanationDocuments;
	/** The tabs of batches. They are made of these services, hence a function. */
	readonly batchPanels: () => BatchPanels;
	readonly seenBatches: SeenBatches;
	/** The Dockerfiles of the workspace, once somebody asks for them. */
	images(): Promise<ImagesModel>;
	/** The side panel of images; made of these services. */
	readonly imagesView: () => ImagesView;
	readonly results: BatchFetcher;
	/** Runs an operation with progress in a notification whose *Cancel* works. */
	operation<T>(title: string, task: (ctx: OperationContext) => Promise<T>): Promise<T>;
	core(): Promise<Core>;
}
