/** All ids that the manifest and the code share. A test compares them with `package.json`. */
export const COMMANDS = [
	'boinc2docker.server.add',
	'boinc2docker.server.remove',
	'boinc2docker.app.install',
	'boinc2docker.job.submit',
	'boinc2docker.batch.cancel',
	'boinc2docker.batch.fetchResults',
	'boinc2docker.instance.showLog',
	'boinc2docker.view.refresh',
	'boinc2docker.log.show',
	'boinc2docker.diagnostics.copy',
] as const;
export type CommandId = (typeof COMMANDS)[number];
