/** All ids that the manifest and the code share. A test compares them with `package.json`. */
export const COMMANDS = [
	'boinc2docker.server.add',
	'boinc2docker.server.remove',
	'boinc2docker.app.install',
	'boinc2docker.app.undoInstall',
	'boinc2docker.job.submit',
	'boinc2docker.batch.open',
	'boinc2docker.batch.openJobFile',
	'boinc2docker.job.preview',
	'boinc2docker.job.runLocally',
	'boinc2docker.batch.cancel',
	'boinc2docker.batch.retryFailed',
	'boinc2docker.batch.raiseBound',
	'boinc2docker.batch.setPriority',
	'boinc2docker.batch.fetchResults',
	'boinc2docker.job.explainWaiting',
	'boinc2docker.job.explainFailure',
	'boinc2docker.packs.remove',
	'boinc2docker.job.openResult',
	'boinc2docker.job.reproduce',
	'boinc2docker.job.saveCapsule',
	'boinc2docker.instance.showLog',
	'boinc2docker.instance.showFullLog',
	'boinc2docker.instance.showInput',
	'boinc2docker.instance.showOutput',
	'boinc2docker.instance.showHost',
	'boinc2docker.view.refresh',
	'boinc2docker.view.loadMore',
	'boinc2docker.view.group',
	'boinc2docker.view.sort',
	'boinc2docker.view.filter',
	'boinc2docker.image.build',
	'boinc2docker.image.buildWithOptions',
	'boinc2docker.image.cancel',
	'boinc2docker.image.showCost',
	'boinc2docker.image.push',
	'boinc2docker.image.pushToRegistry',
	'boinc2docker.image.logIn',
	'boinc2docker.image.choose',
	'boinc2docker.image.showBuildLog',
	'boinc2docker.image.add',
	'boinc2docker.image.refresh',
	'boinc2docker.log.show',
	'boinc2docker.diagnostics.copy',
] as const;
export type CommandId = (typeof COMMANDS)[number];

/** The view container in the activity bar. */
export const VIEW_CONTAINER = 'boinc2docker';
export const VIEWS = ['boinc2docker.views.jobs', 'boinc2docker.views.images'] as const;
export type ViewId = (typeof VIEWS)[number];

/** Keys of `when` clauses. Only `ContextManager` sets them. */
export const CONTEXT_KEYS = ['boinc2docker:welcome'] as const;
export type ContextKey = (typeof CONTEXT_KEYS)[number];

export const SETTINGS = [
	'boinc2docker.engine.command',
	'boinc2docker.results.folder',
	'boinc2docker.results.stream',
	'boinc2docker.notifications.batchFinished',
	'boinc2docker.notifications.firstFailure',
	'boinc2docker.notifications.threshold',
] as const;
export type SettingId = (typeof SETTINGS)[number];

/** Scheme of the read-only documents: logs, descriptions and results on servers, plans of installations. */
export const DOCUMENT_SCHEME = 'boinc2docker';

/** Scheme of the documents that explain why something waits or failed. */
export const EXPLANATION_SCHEME = 'boinc2docker-why';

/** Kinds of pages in editor tabs. */
export const PANELS = { batch: 'boinc2docker.panels.batch' } as const;

/** Keys of what is remembered between sessions; never a secret. */
export const STORAGE_KEYS = {
	servers: 'boinc2docker.server.list',
	watched: 'boinc2docker.batch.watched',
	treeOptions: 'boinc2docker.view.options',
	lastServer: 'boinc2docker.server.last',
	lastCommand: 'boinc2docker.job.lastCommand',
	lastWrappers: 'boinc2docker.app.lastWrappers',
	addedDockerfiles: 'boinc2docker.image.added',
	imageOptions: 'boinc2docker.image.options',
	builtImages: 'boinc2docker.image.built',
	openImage: 'boinc2docker.image.open',
	imageCards: 'boinc2docker.image.cards',
	pushedImages: 'boinc2docker.image.pushed',
	selectedImages: 'boinc2docker.image.selected',
	lastRegistry: 'boinc2docker.image.lastRegistry',
} as const;

/** Keys of the secret store. A server is `user@host:port`; a private key is known by its fingerprint. */
export const SECRET_KEYS = {
	password: (server: string): string => `boinc2docker.password.${server}`,
	passphrase: (fingerprint: string): string => `boinc2docker.passphrase.${fingerprint}`,
} as const;
