import { pbkdf2Sync } from "node:crypto"

/**
 * Takes a processor for half a second, and would keep the event loop waiting for as long.
 *
 * @param {{ password: string, salt: string }} payload
 * @returns {string}
 */
export default function hashPassword({ password, salt }) {
    return pbkdf2Sync(password, salt, 500_000, 32, "sha512").toString("hex").slice(0, 8)
}
