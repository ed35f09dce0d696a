/** Where the public log is, unless another folder is named: within what GitHub Pages serves. */
export const LOG_FOLDER = 'docs/log';
