import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import { upload, uploadedSize } from '../fakeClient.js';
import type { Lab } from '../lab.js';
import { md5 } from '../probe.js';
import { firstTask, OUTPUT } from './sentTask.js';

export const uploadChecks: readonly Check<Lab>[] = [
	{
		name: 'an upload in two parts, with the size asked in between, lands in the hierarchy byte for byte',
		run: async (lab) => {
			const { output } = await firstTask(lab);
			assert.deepEqual([(await uploadedSize(lab, output)).status, (await uploadedSize(lab, output)).size], [0, 0]);
			// The first 9,000 bytes of the whole: the body ends early, as when the link is cut.
			const cut = await upload(lab, output, OUTPUT.subarray(0, 9_000), { nbytes: OUTPUT.length });
			assert.equal(cut.status, 1, 'a body that ends early must be a passing error');
			const size = (await uploadedSize(lab, output)).size ?? -1;
			assert.ok(size >= 0 && size <= 9_000, `file_size ${size}`);
			const rest = await upload(lab, output, OUTPUT.subarray(size), { nbytes: OUTPUT.length, offset: size });
			assert.equal(rest.status, 0, rest.message);
			assert.equal((await lab.sh('md5sum < "$1"', lab.uploadPath(output))).slice(0, 32), md5(OUTPUT));
			return `${size} bytes were kept of the cut upload`;
		},
		timeoutMs: 120_000,
	},
	{
		name: 'an offset beyond what is there is a passing error; a bad name a lasting one',
		run: async (lab) => {
			const name = `${lab.tag}_upload_0_r1_0`;
			lab.defer('uploaded file', () => lab.run(['rm', '-f', lab.uploadPath(name)]));
			assert.equal((await upload(lab, name, Buffer.from('abc'), { offset: 5000, nbytes: 5003 })).status, 1);
			assert.equal((await upload(lab, '../escape', Buffer.from('abc'))).status, -1);
			assert.ok(!(await lab.exists(`${lab.project.config.uploadDir}/../escape`)));
		},
	},
	{
		name: 'a file larger than max_nbytes: refused for good when certificates are enforced, taken otherwise',
		run: async (lab) => {
			const name = `${lab.tag}_large_0_r1_0`;
			lab.defer('uploaded file', () => lab.run(['rm', '-f', lab.uploadPath(name)]));
			const enforced = !/<ignore_upload_certificates>\s*1/.test(await lab.get('config.xml'));
			const answer = await upload(lab, name, Buffer.alloc(5000, 65), { maxBytes: 10 });
			assert.equal(answer.status, enforced ? -1 : 0, answer.message);
			return enforced ? 'enforced' : 'certificates are ignored here, so the server takes it';
		},
	},
];
