// Entry of the main window.
import { startWindow } from './start.tsx'
import './features/shell/shell.css'
import './features/sessions/sessions.css'
import './features/outbox/outbox.css'
import './features/review/review.css'
import './features/usage/usage.css'
import './features/settings/settings.css'
import './features/history/history.css'
import { MainWindow } from './features/shell/MainWindow.tsx'

startWindow(<MainWindow />)
