// A sandboxed preload has no file system.
require('fs')
