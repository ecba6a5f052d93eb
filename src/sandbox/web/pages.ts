import type { Database } from '../database.js';
import { numberOf, textOf } from '../database.js';
import { escapeXml } from './lenientXml.js';
import type { ServerConfig } from './serverConfig.js';

/**
 * The page at the master URL: for people a short status, for clients the scheduler's address in both forms. Clients read
 * lines of at most 255 characters.
 */
export async function masterPage(config: ServerConfig, database: Database | undefined): Promise<string> {
	const name = escapeXml(config.longName || 'A BOINC project');
	const lines = [
		'<!DOCTYPE html>',
		'<html lang="en">',
		'<head>',
		'<meta charset="utf-8">',
		`<title>${name}</title>`,
		`<link rel="boinc_scheduler" href="${escapeXml(config.schedulerUrl)}">`,
		'<style>body{font:16px sans-serif;margin:2em;max-width:50em}td,th{padding:.2em 1em .2em 0;text-align:left}</style>',
		'</head>',
		'<body>',
		`<!-- <scheduler>${escapeXml(config.schedulerUrl)}</scheduler> -->`,
		`<h1>${name}</h1>`,
		`<p>A BOINC project for trying things on this machine. Clients attach to <code>${escapeXml(config.masterUrl)}</code>.</p>`,
		...(database ? await statusTable(database) : ['<p>The database does not answer.</p>']),
		'</body>',
		'</html>',
		'',
	];
	return lines.join('\n');
}

async function statusTable(database: Database): Promise<string[]> {
	const apps = await database.select('SELECT id, name, user_friendly_name FROM app ORDER BY name');
	const counts = await database.select(
		`SELECT appid, SUM(server_state = 2) AS unsent, SUM(server_state = 4) AS running, SUM(server_state = 5 AND outcome = 1) AS done,
			SUM(server_state = 5 AND outcome <> 1) AS failed FROM result GROUP BY appid`,
	);
	const [hosts] = await database.select('SELECT COUNT(*) AS n FROM host');
	const rows = apps.map((app) => {
		const count = counts.find((row) => numberOf(row, 'appid') === numberOf(app, 'id')) ?? {};
		const cells = ['unsent', 'running', 'done', 'failed'].map((column) => `<td>${numberOf(count, column)}</td>`).join('');
		return `<tr><td>${escapeXml(textOf(app, 'user_friendly_name')).slice(0, 120)}</td>${cells}</tr>`;
	});
	return [
		'<table>',
		'<tr><th>App</th><th>Ready to send</th><th>In progress</th><th>Succeeded</th><th>Failed</th></tr>',
		...rows,
		'</table>',
		`<p>Hosts: ${hosts ? numberOf(hosts, 'n') : 0}</p>`,
	];
}

/** `get_project_config.php` */
export async function projectConfigDocument(config: ServerConfig, database: Database | undefined): Promise<string> {
	const platforms = database
		? await database.select('SELECT name, user_friendly_name FROM platform WHERE deprecated = 0 ORDER BY name')
		: [];
	return [
		'<project_config>',
		`<name>${escapeXml(config.longName)}</name>`,
		`<master_url>${escapeXml(config.masterUrl)}</master_url>`,
		`<web_rpc_url_base>${escapeXml(config.masterUrl)}</web_rpc_url_base>`,
		...(config.disableAccountCreation ? ['<account_creation_disabled/>'] : []),
		'<min_passwd_length>6</min_passwd_length>',
		'<platforms>',
		...platforms.flatMap((platform) => [
			'<platform>',
			`<platform_name>${escapeXml(textOf(platform, 'name'))}</platform_name>`,
			`<user_friendly_name>${escapeXml(textOf(platform, 'user_friendly_name'))}</user_friendly_name>`,
			'</platform>',
		]),
		'</platforms>',
		'</project_config>',
		'',
	].join('\n');
}
