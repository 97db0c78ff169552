const SCRIPTS = [
    "<script>hacked()</script>",
    "</script><script>hacked()</script>",
    "<img src=x onerror=hacked()>",
    "<svg onload=hacked()>",
    "<svg><script>hacked()</script></svg>",
    "<body onload=hacked()>",
    "<iframe srcdoc='<script>parent.hacked()</script>'>",
    "<a href=javascript:hacked()>x</a>",
    "javascript:hacked()",
    "JaVaScRiPt:hacked()//",
    "data:text/html,<script>hacked()</script>",
    "<math><mtext><style><img src=x onerror=hacked()></style></mtext></math>",
    "<details open ontoggle=hacked()>",
    "<input autofocus onfocus=hacked()>",
    "<video><source onerror=hacked()></video>",
    "<object data=javascript:hacked()>",
    "<form action=javascript:hacked()><input type=submit>",
    "<style>@import 'javascript:hacked()'</style>",
    "<link rel=stylesheet href=javascript:hacked()>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:hacked()'>",
    "'-hacked()-'",
    '"-hacked()-"',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what templates would take for code
    "`${hacked()}`",
    "{{constructor.constructor('hacked()')()}}",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the same
    "${hacked()}",
    "#{hacked()}",
    "<%= hacked() %>",
    "--><script>hacked()</script><!--",
    "]]><script>hacked()</script>",
    "&lt;script&gt;hacked()&lt;/script&gt;",
    "\\u003cscript\\u003ehacked()\\u003c/script\\u003e",
]

/** Ways to put something in the way of what finds it dangerous. */
const WRAPPINGS: ((text: string) => string)[] = [
    (text) => text,
    (text) => `"><p title="${text}`,
    (text) => `\u202e${text}\u202c`,
]

const OTHERS = [
    "\u0001\u0007\u001b[31mred\u001b[0m",
    "\u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007",
    "عربي نص طويل",
    "\u202egnp.exe",
    "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
    "👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
    "\ufeff\u200b\u2066zero\u2069",
    "W".repeat(10_240),
    "../../../etc/passwd",
    "constructor",
    "__proto__",
]

/** A hundred texts and more that have done harm to pages. */
export const HOSTILE_TEXTS: readonly string[] = [
    ...SCRIPTS.flatMap((text) => WRAPPINGS.map((wrap) => wrap(text))),
    ...OTHERS,
]

/** The same as a name may be: short, and without control characters. */
export const HOSTILE_NAMES: readonly string[] = [
    ...new Set(
        HOSTILE_TEXTS.map((text) =>
            text
                // biome-ignore lint/suspicious/noControlCharactersInRegex: a name has none
                .replaceAll(/[\u0000-\u001f\u007f]/g, "")
                .slice(0, 250),
        ),
    ),
]
