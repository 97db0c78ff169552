import { render } from "preact"
import { App } from "./app.tsx"
import { followLive } from "./live.ts"
import { applyTheme } from "./preferences.ts"
import { collectSamples } from "./samples.ts"
import "./style/theme.css"
import "./style/base.css"
import "./style/controls.css"
import "./style/parts.css"
import "./style/tables.css"
import "./style/charts.css"
import "./style/pages.css"

applyTheme()
collectSamples()
followLive()
const root = document.getElementById("app")
if (root !== null) render(<App />, root)
