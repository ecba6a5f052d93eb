import { type Content, contentOfBytes } from '../common/content.js';

/** The empty disk of a virtual machine. */
export function emptyDisk(): Content {
	return contentOfBytes('<<< Oracle VM VirtualBox Disk Image >>>\n');
}
