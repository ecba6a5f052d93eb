import path from 'node:path';

import { hierarchyPath } from '../../project/hierarchy.js';
import { type OutputFile, outputFiles } from '../outputTemplate.js';
import type { ProjectSettings } from '../projectSettings.js';

/** An output with its place on the server, whether or not it is there. */
export interface UploadedFile extends OutputFile {
	readonly path: string;
}

/** The outputs of an instance in the order of the template. */
export function uploadedFiles(settings: ProjectSettings, xmlDocIn: string): UploadedFile[] {
	return outputFiles(xmlDocIn).map((file) => ({
		...file,
		path: path.join(settings.uploadDir, hierarchyPath(file.name, settings.fanout)),
	}));
}
