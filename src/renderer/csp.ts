// Imported before anything else: zod must not try `new Function`, which the page's Content-Security-Policy forbids.
import { z } from 'zod'

z.config({ jitless: true })
