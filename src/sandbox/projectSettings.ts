import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { DatabaseSettings } from './database.js';
import { childFlag, childNumber, childOf, childrenOf, childText, type LenientElement, readLenient } from './web/lenientXml.js';

/** One `<daemon>` or `<task>` of `config.xml`. */
export interface ProgramEntry {
	readonly command: string;
	readonly host: string | undefined;
	readonly disabled: boolean;
	readonly output: string | undefined;
	readonly pidFile: string | undefined;
	readonly lockFile: string | undefined;
	readonly useShell: boolean;
	/** Tasks only: `24 hours`. */
	readonly period: string | undefined;
}

/** `config.xml` as the project's own programs read it. */
export interface ProjectSettings {
	readonly root: string;
	readonly host: string;
	readonly longName: string;
	readonly masterUrl: string;
	readonly database: DatabaseSettings;
	readonly downloadUrl: string;
	readonly downloadDir: string;
	readonly uploadUrl: string;
	readonly uploadDir: string;
	readonly keyDir: string;
	readonly appDir: string;
	readonly logDir: string;
	readonly pidDir: string;
	readonly tmpDir: string;
	readonly fanout: number;
	readonly daemons: readonly ProgramEntry[];
	readonly tasks: readonly ProgramEntry[];
	/** Any other element of `<config>`. */
	text(name: string): string | undefined;
	number(name: string, otherwise: number): number;
	flag(name: string): boolean;
}

/** Reads `config.xml` below `root`. `undefined` when it is absent, unreadable or not a BOINC configuration. */
export function readProjectSettings(root: string): ProjectSettings | undefined {
	let xml: string;
	try {
		xml = readFileSync(path.join(root, 'config.xml'), 'utf8');
	} catch {
		return undefined;
	}
	const boinc = childOf(readLenient(xml), 'boinc');
	const config = childOf(boinc, 'config');
	if (!boinc || !config || !xml.includes('</config>')) {
		return undefined;
	}
	const text = (name: string): string | undefined => (childOf(config, name) ? childText(config, name) : undefined);
	const number = (name: string, otherwise: number): number => childNumber(config, name, otherwise);
	const flag = (name: string): boolean => childFlag(config, name);
	const host = text('host') ?? '';
	const directory = (name: string, otherwise: string): string => path.resolve(root, text(name) ?? otherwise);
	return {
		root,
		host,
		longName: text('long_name') ?? '',
		masterUrl: text('master_url') ?? '',
		database: databaseSettings(text),
		downloadUrl: text('download_url') ?? '',
		downloadDir: directory('download_dir', 'download'),
		uploadUrl: text('upload_url') ?? '',
		uploadDir: directory('upload_dir', 'upload'),
		keyDir: directory('key_dir', 'keys'),
		appDir: directory('app_dir', 'apps'),
		logDir: directory('log_dir', `log_${host}`),
		pidDir: path.join(root, `pid_${host}`),
		tmpDir: path.join(root, `tmp_${host}`),
		fanout: number('uldl_dir_fanout', 0),
		daemons: entries(childOf(boinc, 'daemons'), 'daemon'),
		tasks: entries(childOf(boinc, 'tasks'), 'task'),
		text,
		number,
		flag,
	};
}

/** As BOINC's native tools look for it: `BOINC_PROJECT_DIR`, this folder, its parent. */
export function findProjectRoot(cwd: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
	const given = env.BOINC_PROJECT_DIR;
	if (given !== undefined && given !== '') {
		return given;
	}
	return [cwd, path.dirname(cwd)].find(
		(folder) => existsSync(path.join(folder, 'config.xml')) && existsSync(path.join(folder, 'cgi-bin')),
	);
}

function databaseSettings(text: (name: string) => string | undefined): DatabaseSettings {
	const [host = '', port] = (text('db_host') ?? '').split(':');
	return {
		host: host === '' || host === 'localhost' ? '127.0.0.1' : host,
		port: Number.parseInt(port ?? '', 10) || 3306,
		user: text('db_user') ?? '',
		password: text('db_passwd') ?? '',
		database: text('db_name') ?? '',
	};
}

function entries(list: LenientElement | undefined, item: string): ProgramEntry[] {
	return childrenOf(list, item)
		.map((entry) => {
			const value = (name: string): string | undefined => childText(entry, name) || undefined;
			return {
				command: value('cmd') ?? '',
				host: value('host'),
				disabled: childFlag(entry, 'disabled'),
				output: value('output'),
				pidFile: value('pid_file'),
				lockFile: value('lock_file'),
				useShell: childFlag(entry, 'use_shell'),
				period: value('period'),
			};
		})
		.filter(({ command }) => command !== '');
}
