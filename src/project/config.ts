import path from 'node:path';

import { BoincError } from '../common/errors.js';
import type { DaemonEntry, ProjectConfig } from './types.js';
import { parseXml, type XmlElement, xmlFlag } from './xml.js';

/** A value of `config.xml` in range, or the default that BOINC's own code uses. */
function integer(text: string | undefined, otherwise: number): number {
	const value = Number.parseInt(text ?? '', 10);
	return Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
}

function nonEmpty(text: string | undefined): string | undefined {
	return text === undefined || text === '' ? undefined : text;
}

function daemonEntry(daemon: XmlElement): DaemonEntry[] {
	const command = nonEmpty(daemon.childText('cmd'));
	return command === undefined
		? []
		: [
				{
					command,
					output: nonEmpty(daemon.childText('output')),
					pidFile: nonEmpty(daemon.childText('pid_file')),
					disabled: xmlFlag(daemon.childText('disabled')),
					host: nonEmpty(daemon.childText('host')),
				},
			];
}

/**
 * Reads the text of a `config.xml`. `root` is the project's folder; `where` names the file in errors.
 * Rejects with `config-invalid`. The password never appears in an error.
 */
export async function parseConfig(xml: string, root: string, where = `${root}/config.xml`): Promise<ProjectConfig> {
	const document = await parseXml(xml, where);
	const config = document.child('config');
	if (document.name !== 'boinc' || !config) {
		throw new BoincError('config-invalid', `${where} is not the configuration of a BOINC project: <boinc><config> is missing.`, {
			detail: { where },
		});
	}
	const text = (name: string): string | undefined => nonEmpty(config.childText(name));
	const required = (name: string): string => {
		const value = text(name);
		if (value === undefined) {
			throw new BoincError('config-invalid', `${where} has no <${name}>.`, {
				remedy: `Add <${name}> to <config>; BOINC's own tools need it too.`,
				detail: { where, element: name },
			});
		}
		return value;
	};
	const directory = (name: string, otherwise: string): string => path.posix.resolve(root, text(name) ?? otherwise);
	const masterUrl = required('master_url').replace(/\/*$/, '/');
	const host = text('host') ?? '';
	return {
		longName: text('long_name') ?? '',
		masterUrl,
		host,
		database: {
			host: text('db_host') ?? '',
			name: required('db_name'),
			user: text('db_user') ?? '',
			password: text('db_passwd') ?? '',
		},
		downloadDir: directory('download_dir', 'download'),
		downloadUrl: (text('download_url') ?? `${masterUrl}download`).replace(/\/+$/, ''),
		uploadDir: directory('upload_dir', 'upload'),
		uploadUrl: text('upload_url') ?? '',
		keyDir: directory('key_dir', 'keys'),
		appDir: directory('app_dir', 'apps'),
		logDir: directory('log_dir', `log_${host}`),
		uldlDirFanout: integer(text('uldl_dir_fanout'), 0),
		sendResultAbort: xmlFlag(config.childText('send_result_abort')),
		dontSendJobs: xmlFlag(config.childText('dont_send_jobs')),
		daemonUser: text('project_user_name'),
		daemons: (document.child('daemons')?.children('daemon') ?? []).flatMap(daemonEntry),
	};
}
