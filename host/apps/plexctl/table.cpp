#include "host/apps/plexctl/table.hpp"

#include <algorithm>

namespace plexsphere::plexctl {
namespace {

using Row = std::vector<std::string>;

std::size_t width_of(const std::string& text) {
  // Continuation bytes of UTF-8 take no column.
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

Row cells_of(const Row& row) {
  Row cells;
  for (const std::string& text : row) {
    cells.push_back(text.empty() ? "-" : printable(text));
  }
  return cells;
}

void write(std::string& out, const Row& cells, const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out += cells[i];
    if (i + 1 < cells.size()) {
      out.append(widths[i] - width_of(cells[i]) + 2, ' ');
    }
  }
  out += '\n';
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    const bool c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    out += byte < 0x20 || byte == 0x7F || c1 ? ' ' : text[i];
    i += c1 ? 1 : 0;
  }
  return out;
}

std::string table(const Row& head, const std::vector<Row>& rows) {
  std::vector<Row> lines{head};
  for (const Row& row : rows) {
    lines.push_back(cells_of(row));
  }
  std::vector<std::size_t> widths(head.size());
  for (const Row& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line[i]));
    }
  }
  std::string out;
  for (const Row& line : lines) {
    write(out, line, widths);
  }
  return out;
}

}  // namespace plexsphere::plexctl
