// @ts-check
/** Entry of the account pages. Their menu works without a script. */

import { enablePasskeys, showPasskeyErrors } from "../ui/passkeys.js";

showPasskeyErrors();
enablePasskeys();
