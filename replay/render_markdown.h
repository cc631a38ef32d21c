// The evidence report as Markdown, for pull requests. Pure: value in, text out; foreign text stays
// text (markdown_text.h). The only HTML is `<details><summary>…</summary>` and `</details>`.
#ifndef MUNIMENT_REPLAY_RENDER_MARKDOWN_H_
#define MUNIMENT_REPLAY_RENDER_MARKDOWN_H_

#include <string>

#include "muniment/v1/report.pb.h"
#include "replay/json.h"

namespace muniment {

// In the order of the report's design: verdict first, integrity last, what is long folded.
std::string render_markdown(const v1::Evidence& evidence, const Resolver& resolve);

// The same evidence in the order of a "Canary Context Pack". A section without facts is left out.
std::string render_context_pack(const v1::Evidence& evidence, const Resolver& resolve);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_RENDER_MARKDOWN_H_
