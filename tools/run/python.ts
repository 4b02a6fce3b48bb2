// Which Python runs the foreign peers of the tests: the system's own, since Debian's packages install for that one only;
// elsewhere whichever is on the PATH.
import { existsSync } from 'node:fs'

const SYSTEM = '/usr/bin/python3'
export const PYTHON = process.platform === 'linux' || existsSync(SYSTEM) ? SYSTEM : 'python3'
