import type { ByteString } from '../tar/tarHeader.js';

/**
 * The extended attributes that travel. Both engines' builders keep `security.capability`; Podman keeps `user.*`, which
 * Docker drops. Others belong to the machine that the image was built on, or make an unprivileged builder fail.
 */
export const travels = (name: ByteString): boolean => name === 'security.capability' || name.startsWith('user.');
