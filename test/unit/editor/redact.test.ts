import { describe, expect, it } from 'vitest';

import { redact } from '../../../src/editor/diagnostics/redact.js';

describe('redacting diagnostics', () => {
	it.each([
		['a host', 'connecting to boinc.example.org:22', 'connecting to <host 1>:22'],
		['a host in another case', 'BOINC.Example.ORG', '<host 1>'],
		['an account', 'ssh://boincadm@boinc.example.org/home', 'ssh://<user 1>@<host 1>/home'],
		['a path before its beginning', '/home/boincadm/projects/secret/html', '<path 1>/html'],
		['an address on the network', 'from 192.0.2.17 port 4', 'from <address> port 4'],
		['an address of version 6', 'from 2001:db8:0:0:0:0:0:17', 'from <address>'],
		['somebody else', 'mail to a.person@mail.example', 'mail to <user>@<host>'],
		['a password', 'db_passwd=hunter2, ok', 'db_passwd=<secret>, ok'],
		['a quoted token', `{"token": "abc def"}`, `{"token": <secret>}`],
		['a foreign address', 'https://me@other.example/x', 'https://<user>@<host>/x'],
		['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', '<private key>\n'],
	])('hides %s', (_name, text, expected) => {
		const secrets = [
			{ text: 'boincadm', name: '<user 1>' },
			{ text: 'boinc.example.org', name: '<host 1>' },
			{ text: '/home/boincadm/projects/secret', name: '<path 1>' },
		];
		expect(redact(text, secrets)).toBe(expected);
	});

	it('leaves words alone that only contain a secret', () => {
		expect(redact('the root of roots', [{ text: 'root', name: '<me>' }])).toBe('the <me> of roots');
	});

	it('keeps versions, states and times', () => {
		const text = 'boinc2docker 0.1.0\n2026-01-02T03:04:05.678Z [info] boinc2docker.job.submit: done in 17 ms';
		expect(redact(text, [])).toBe(text);
	});

	it('takes special characters of a secret literally', () => {
		expect(redact('a+b (c) axb', [{ text: 'a+b (c)', name: '<x>' }])).toBe('<x> axb');
	});
});
