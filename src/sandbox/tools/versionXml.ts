import type { ProjectSettings } from '../projectSettings.js';

/** A file of an app version after it was signed and copied. */
export interface VersionFile {
	/** Below `apps/`. */
	readonly source: string;
	readonly physicalName: string;
	readonly logicalName: string | undefined;
	readonly mainProgram: boolean;
	readonly copyFile: boolean;
	readonly executable: boolean;
	/** In place of the default; empty for the default. */
	readonly urls: readonly string[];
	readonly signature: string;
	readonly size: number;
	readonly gzippedSize: number | undefined;
}

export const VERSION_FLAGS = ['dont_throttle', 'needs_network', 'is_wrapper', 'beta'] as const;

/** An app version as `version.xml` and its folder describe it. */
export interface VersionInfo {
	readonly files: readonly VersionFile[];
	readonly flags: readonly (typeof VERSION_FLAGS)[number][];
	readonly filePrefix: string | undefined;
	readonly apiVersion: string | undefined;
}

/** The document that clients get, kept in `app_version.xml_doc`. */
export function appVersionXml(settings: ProjectSettings, appName: string, versionNum: number, version: VersionInfo): string {
	return [
		...version.files.map((file) => fileInfo(settings, file)),
		'<app_version>\n',
		`    <app_name>${appName}</app_name>\n`,
		`    <version_num>${versionNum}</version_num>\n`,
		version.apiVersion === undefined ? '' : `    <api_version>${version.apiVersion}</api_version>\n`,
		...version.files.map(fileRef),
		...version.flags.filter((flag) => flag !== 'beta').map((flag) => `    <${flag}/>\n`),
		version.filePrefix === undefined ? '' : `    <file_prefix>${version.filePrefix}</file_prefix>\n`,
		'</app_version>\n',
	].join('');
}

/** What the tool shows before it asks. */
export function describeVersion(appName: string, version: string, folder: string, info: VersionInfo): string {
	return [
		`Found new app version for: ${appName} ${version} ${folder}\n`,
		'    Files:\n',
		...info.files.map((file) => `        ${file.physicalName}${file.mainProgram ? ' (main program)' : ''}\n`),
		'    Flags:\n',
		...info.flags.map((flag) => `        ${flag}\n`),
		`        API version: ${info.apiVersion ?? ''}\n`,
	].join('');
}

function fileInfo(settings: ProjectSettings, file: VersionFile): string {
	const urls = file.urls.length > 0 ? file.urls : [`${settings.downloadUrl}/${file.physicalName}`];
	return [
		'<file_info>\n',
		`    <name>${file.physicalName}</name>\n`,
		...urls.map((url) => `    <url>${url}</url>\n`),
		...(file.gzippedSize === undefined ? [] : urls.map((url) => `    <gzipped_url>${url}.gz</gzipped_url>\n`)),
		file.executable || file.mainProgram ? '    <executable/>\n' : '',
		`    <file_signature>\n${file.signature}    </file_signature>\n`,
		`    <nbytes>${file.size}</nbytes>\n`,
		file.gzippedSize === undefined ? '' : `    <gzipped_nbytes>${file.gzippedSize}</gzipped_nbytes>\n`,
		'</file_info>\n',
	].join('');
}

function fileRef(file: VersionFile): string {
	return [
		'<file_ref>\n',
		`    <file_name>${file.physicalName}</file_name>\n`,
		file.logicalName === undefined ? '' : `    <open_name>${file.logicalName}</open_name>\n`,
		file.copyFile ? '    <copy_file/>\n' : '',
		file.mainProgram ? '    <main_program/>\n' : '',
		'</file_ref>\n',
	].join('');
}
