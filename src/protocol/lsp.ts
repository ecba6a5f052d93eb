/** What the editor tells the language server at its start. */
export interface LanguageServerOptions {
	/** Commands that the editor has: only these are offered above a file. */
	readonly commands: readonly string[];
	/** Address of the reference page. */
	readonly reference: string;
}

/** Commands that the server may offer above a file; each is given the file's address. */
export const LENS_COMMANDS = {
	submit: 'boinc2docker.job.submit',
	runLocally: 'boinc2docker.job.runLocally',
	preview: 'boinc2docker.job.preview',
} as const;
