import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Exchange } from "./exchange.ts"
import { split } from "./flow.ts"
import { asksForEncryption, asksToCancel, Framing } from "./framing.ts"
import { matches, mayMatch } from "./matching.ts"

function message(type: string, ...parts: (string | number | Buffer)[]): Buffer {
    const body = Buffer.concat(
        parts.map((part) => {
            if (typeof part === "number") return Buffer.from([part])
            return typeof part === "string" ? Buffer.from(`${part}\0`) : part
        }),
    )
    const length = Buffer.alloc(4)
    length.writeUInt32BE(body.length + 4)
    return Buffer.concat([Buffer.from(type), length, body])
}

function firstMessage(code: number, rest = ""): Buffer {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + rest.length)
    head.writeUInt32BE(code, 4)
    return Buffer.concat([head, Buffer.from(rest)])
}

const STARTUP = firstMessage(196_608, "user\0me\0\0")
const SSL = firstMessage(80_877_103)

describe("Framing", () => {
    const bytes = Buffer.concat([
        SSL,
        STARTUP,
        message("Q", "select 1"),
        message("X"),
        message("d", Buffer.alloc(300_000)),
    ])

    it("finds the same messages however the stream is cut", () => {
        for (const size of [1, 2, 3, 5, 7, 64, 4_096, bytes.length]) {
            const framing = new Framing("client")
            const found = []
            for (let at = 0; at < bytes.length; at += size) {
                // One byte at a time through the ballast would only take long.
                if (size < 64 && at > 200) {
                    found.push(...framing.push(bytes.subarray(at)))
                    break
                }
                found.push(...framing.push(bytes.subarray(at, at + size)))
            }
            assert.deepEqual(
                found.map(({ type, bytes }) => [type, bytes.length]),
                [
                    ["", 8],
                    ["", STARTUP.length],
                    ["Q", 14],
                    ["X", 5],
                    ["d", 300_005],
                ],
            )
            assert.ok(Buffer.concat(found.map(({ bytes }) => bytes)).equals(bytes))
            assert.equal(framing.numPending, 0)
        }
    })

    it("tells requests for encryption and for cancelling from the beginning of a session", () => {
        const [ssl, startup] = new Framing("client").push(Buffer.concat([SSL, STARTUP]))
        const [cancel] = new Framing("client").push(firstMessage(80_877_102, "12345678"))
        assert.ok(ssl && startup && cancel)
        assert.deepEqual([ssl, startup, cancel].map(asksForEncryption), [true, false, false])
        assert.deepEqual([ssl, startup, cancel].map(asksToCancel), [false, false, true])
    })

    it("refuses a length that no message has", () => {
        assert.throws(() => new Framing("server").push(Buffer.from("HTTP/1.1 400 Bad Request")), RangeError)
    })
})

describe("Exchange", () => {
    const ready = (status: string) => message("Z", status.charCodeAt(0))

    function follow(sent: Buffer[], received: Buffer[]) {
        const exchange = new Exchange()
        for (const one of new Framing("client").push(Buffer.concat([STARTUP, ...sent]))) exchange.sent(one)
        return new Framing("server")
            .push(Buffer.concat([ready("I"), ...received]))
            .flatMap((one) => exchange.received(one) ?? [])
    }

    const extended = (text: string) => [
        message("P", "", text, Buffer.alloc(2)),
        message("B", "", "", Buffer.alloc(6)),
        message("E", "", Buffer.alloc(4)),
        message("S"),
    ]

    it("knows a statement that commits by itself", () => {
        const [select, update] = follow(
            [...extended("select 1"), ...extended("update job set x = 1")],
            [message("C", "SELECT 1"), ready("I"), message("C", "UPDATE 3"), ready("I")],
        )
        assert.equal(select?.hasCommitted, false)
        assert.equal(update?.hasCommitted, true)
    })

    it("knows a COMMIT from one that was a rollback, and from statements within the transaction", () => {
        const sent = ["begin", "update job set x = 1", "commit", "begin", "select 1/0", "commit"].flatMap(
            extended,
        )
        const outcomes = follow(sent, [
            ...[message("C", "BEGIN"), ready("T"), message("C", "UPDATE 1"), ready("T")],
            ...[message("C", "COMMIT"), ready("I"), message("C", "BEGIN"), ready("T")],
            ...[message("E", "SERROR"), ready("E"), message("C", "ROLLBACK"), ready("I")],
        ])
        assert.deepEqual(
            outcomes.map(({ hasCommitted }) => hasCommitted),
            [false, false, true, false, false, false],
        )
        assert.equal(outcomes[4]?.hasFailed, true)
    })

    it("remembers prepared statements, and who listens", () => {
        const exchange = new Exchange()
        const [startup, parse, bind, execute, sync, query] = new Framing("client").push(
            Buffer.concat([
                STARTUP,
                message("P", "claim", "-- cuckmq: claim-jobs\nwith x", Buffer.alloc(2)),
                message("B", "", "claim", Buffer.alloc(6)),
                message("E", "", Buffer.alloc(4)),
                message("S"),
                message("Q", 'LISTEN "cuckmq"'),
            ]),
        )
        for (const one of [startup, parse, bind, execute, sync]) if (one) exchange.sent(one)
        assert.deepEqual(exchange.current?.texts, ["-- cuckmq: claim-jobs\nwith x"])
        assert.equal(exchange.isListening, false)
        if (query) exchange.sent(query)
        assert.equal(exchange.isListening, true)
    })
})

describe("matching", () => {
    const outcome = (text: string, { hasFailed = false, hasCommitted = true } = {}) => ({
        cycle: { texts: [text], beganIdle: true },
        hasFailed,
        hasCommitted,
    })

    it("knows our statements by name and those of others by what they do", () => {
        const claims = [
            "-- cuckmq: claim-jobs\n",
            "update pgboss.job set x from (select for update skip locked)",
        ]
        const settles = [
            "-- cuckmq: finalize-required-jobs\n",
            'delete from "w"._private_jobs as jobs where id = 1',
        ]
        const inserts = [
            "-- cuckmq: insert-ready-jobs\n",
            "select * from w.add_job('x')",
            "insert into pgboss.job_common",
        ]
        for (const text of claims)
            assert.ok(matches("claim", outcome(text)) && !matches("settle", outcome(text)), text)
        for (const text of settles)
            assert.ok(matches("settle", outcome(text)) && !matches("claim", outcome(text)), text)
        for (const text of inserts)
            assert.ok(matches("insert", outcome(text)) && !matches("settle", outcome(text)), text)
    })

    it("never loses a refusal, and as commits only what is committed", () => {
        assert.equal(matches("any", outcome("select 1", { hasFailed: true })), false)
        assert.equal(matches("commit", outcome("update x", { hasCommitted: false })), false)
        assert.equal(matches("commit", outcome("commit")), true)
        assert.equal(mayMatch("claim", ["select 1"]), false)
    })
})

describe("split", () => {
    it("keeps every byte", () => {
        for (const size of [0, 1, 47, 97, 5_000]) {
            const bytes = Buffer.from(Array.from({ length: size }, (_, at) => at % 251))
            assert.ok(Buffer.concat(split(bytes)).equals(bytes))
        }
    })
})
