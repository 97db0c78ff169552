import { isIPv4 } from "node:net"

/** Whether an address to listen on is one that only this machine reaches. */
export function isLoopback(host: string): boolean {
    return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))
}

/** Whether `Host` names such an address, with any port. */
export function isLoopbackHost(host: string | undefined): boolean {
    const url = `http://${host}`
    if (host === undefined || !URL.canParse(url)) return false
    const { hostname } = new URL(url)
    return isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"))
}
