// SPDX-License-Identifier: MIT
//
// The page's styles, in the order in which they apply.
import './tokens.css';
import './frame.css';
import './run.css';
import './meaning.css';
import './panels.css';
import './chart.css';
