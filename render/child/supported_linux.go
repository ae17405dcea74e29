package child

// Supported tells whether this system has what children need.
const Supported = true
