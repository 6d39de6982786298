#include "common/mail_sandbox/child/html_reader.hpp"

#include <gumbo.h>

#include <cstring>
#include <memory>
#include <vector>

#include "common/base/text.hpp"
#include "common/mail/html_text.hpp"

namespace postroom::mail_sandbox {

namespace {

constexpr std::size_t most_html = 2 << 20;

// All nodes of one parse, given back at once: Gumbo's own clean-up recurses, and takes as long as the parse.
class Arena {
 public:
  void* take(std::size_t size) {
    size = (size + 15) & ~std::size_t{15};
    if (size > left_) {
      const std::size_t block = size > block_bytes ? size : block_bytes;
      blocks_.push_back(std::make_unique<char[]>(block));
      next_ = blocks_.back().get();
      left_ = block;
    }
    void* piece = next_;
    next_ += size;
    left_ -= size;
    return piece;
  }

 private:
  static constexpr std::size_t block_bytes = 256 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

std::string_view attribute(const GumboVector& attributes, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&attributes, name);
  return found == nullptr ? std::string_view{} : std::string_view{found->value};
}

std::string_view tag_name(const GumboElement& element) {
  if (element.tag != GUMBO_TAG_UNKNOWN) return gumbo_normalized_tagname(element.tag);
  return {};
}

void open(mail::HtmlText& text, const GumboElement& element) {
  mail::HtmlAttributes attributes;
  attributes.style = attribute(element.attributes, "style");
  attributes.is_hidden = gumbo_get_attribute(&element.attributes, "hidden") != nullptr;
  if (element.tag == GUMBO_TAG_A) attributes.href = attribute(element.attributes, "href");
  if (element.tag == GUMBO_TAG_IMG) attributes.alt = attribute(element.attributes, "alt");
  if (element.tag == GUMBO_TAG_OL) attributes.start = attribute(element.attributes, "start");
  text.open(tag_name(element), attributes);
}

}  // namespace

std::optional<std::string> text_of_html(std::string_view html) {
  html = cut_utf8(html, most_html);
  if (!mail::html_cost(html).is_acceptable()) return std::nullopt;
  Arena arena;
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  options.userdata = &arena;
  options.allocator = [](void* data, std::size_t size) { return static_cast<Arena*>(data)->take(size); };
  options.deallocator = [](void*, void*) {};
  const GumboOutput* tree = gumbo_parse_with_options(&options, html.data(), html.size());

  mail::HtmlText text;
  struct Place {
    const GumboNode* node;
    unsigned next_child;
  };
  std::vector<Place> path{{tree->root, 0}};
  open(text, tree->root->v.element);
  while (!path.empty()) {
    Place& here = path.back();
    const GumboVector& children = here.node->v.element.children;
    if (here.next_child == children.length) {
      text.close();
      path.pop_back();
      continue;
    }
    const auto* child = static_cast<const GumboNode*>(children.data[here.next_child++]);
    if (child->type == GUMBO_NODE_ELEMENT || child->type == GUMBO_NODE_TEMPLATE) {
      open(text, child->v.element);
      path.push_back({child, 0});
    } else if (child->type == GUMBO_NODE_TEXT || child->type == GUMBO_NODE_WHITESPACE ||
               child->type == GUMBO_NODE_CDATA) {
      text.text(child->v.text.text);
    }
  }
  return text.finish();
}

}  // namespace postroom::mail_sandbox
