// Entry of the overlay.
import { startWindow } from './start.tsx'
import './features/overlay/overlay.css'
import { Overlay } from './features/overlay/Overlay.tsx'

startWindow(<Overlay />)
