// Which Python runs the foreign peers of the tests: the system's own, since Debian's packages install for that one only;
// elsewhere whichever is on the PATH.

export const PYTHON = process.platform === 'linux' ? '/usr/bin/python3' : 'python3'
