#include "bench/report.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace bench {
namespace {

using has_to_be = figure::has_to_be;

std::string short_number(double n) {
  std::ostringstream text;
  if (n == std::floor(n) && n < 1e6)
    text << static_cast<long>(n);
  else
    text << std::fixed << std::setprecision(n < 100 ? 2 : 0) << n;
  return text.str();
}

std::string target(const figure& f) {
  if (f.target_is == has_to_be::anything) return "recorded";
  return (f.target_is == has_to_be::at_most ? "≤ " : "≥ ") + short_number(f.target);
}

// How wide a text stands in a terminal: UTF-8 characters, all of them narrow here.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// A plot is drawn in these units; the page scales it.
constexpr int plot_width = 640, plot_height = 360, left = 70, right = 20, top = 40, bottom = 50;

struct axis {
  double low, high;  // both positive: axes are logarithmic
  int from, to;      // in the plot

  double at(double value) const {
    return from + (to - from) * (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low));
  }
};

class svg {
 public:
  explicit svg(const std::string& title) {
    out_ << R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" << plot_width << ' ' << plot_height
         << R"(" font-family="sans-serif" font-size="12">)"
         << "\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    text(plot_width / 2.0, 20, title, "middle", "font-weight=\"bold\"");
  }
  void text(double x, double y, const std::string& what, const std::string& anchor, const std::string& more = "") {
    out_ << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor << "\" " << more << ">" << what
         << "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const std::string& colour, const std::string& more = "") {
    out_ << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" stroke=\"" << colour
         << "\" " << more << "/>\n";
  }
  void curve(const std::vector<std::pair<double, double>>& points, const std::string& colour) {
    out_ << "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" << colour << "\" points=\"";
    for (const auto& [x, y] : points) out_ << x << ',' << y << ' ';
    out_ << "\"/>\n";
  }
  void legend(const std::string& name, const std::string& colour, int row) {
    text(left + 12, top + 18 + 16 * row, name, "start", "fill=\"" + colour + "\"");
  }
  void dot(double x, double y, const std::string& colour) {
    out_ << "<circle r=\"4\" cx=\"" << x << "\" cy=\"" << y << "\" fill=\"" << colour << "\"/>\n";
  }
  std::string end() {
    out_ << "</svg>\n";
    return out_.str();
  }

 private:
  std::ostringstream out_;
};

constexpr const char* grid = "#dddddd";
constexpr const char* colour_of_relay = "#888888";
constexpr const char* colour_of_server = "#c0392b";

double power_below(double n) { return std::pow(10, std::floor(std::log10(n))); }
double power_above(double n) { return std::pow(10, std::ceil(std::log10(n))); }

}  // namespace

std::string table(const std::vector<result>& results) {
  std::vector<std::vector<std::string>> rows{{"", "measure", "", "value", "target", "", "details"}};
  for (const auto& r : results)
    for (const auto& f : r.figures) {
      const bool first = &f == &r.figures.front();
      rows.push_back({first ? std::to_string(r.number) : "", first ? r.what : "", f.what, short_number(f.value),
                      target(f),
                      f.target_is == has_to_be::anything ? ""
                      : f.is_reached()                   ? "reached"
                                                         : "**not reached**",
                      f.details});
    }
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string text;
  const auto add = [&](const std::vector<std::string>& row, char filler) {
    for (std::size_t i = 0; i < row.size(); ++i)
      text += "| " + row[i] + std::string(widths[i] - width(row[i]) + 1, filler);
    text += "|\n";
  };
  add(rows.front(), ' ');
  for (const auto w : widths) text += "|" + std::string(w + 2, '-');
  text += "|\n";
  for (std::size_t i = 1; i < rows.size(); ++i) add(rows[i], ' ');
  return text;
}

std::string results_page(const report& r, const std::vector<std::string>& machine) {
  std::string page =
      "# What `bench/run` measured\n\n"
      "Written by `bench/run`; [README.md](README.md) says what each measure is. R is the reference, a bare relay. "
      "Values\n"
      "are ratios to R unless the measure says otherwise: medians over pairs of runs that alternate at one "
      "Mosquitto.\n\n";
  for (const auto& line : machine) page += "- " + line + "\n";
  page += "\n## With QoS 1, the default\n\n" + table(r.results);
  if (!r.with_qos_0.empty()) page += "\n## With QoS 0\n\n" + table(r.with_qos_0);
  page += "\n![Latency at 70 % of R's capacity](latency.svg)\n\n![Capacity by the length of the list](capacity.svg)\n";
  return page;
}

std::string latency_plot(const plots& p) {
  const std::vector<double> parts{0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999};
  const auto microseconds = [](const histogram& h, double part) {
    return std::max(static_cast<double>(h.at(part).count()) / 1'000, 1.0);
  };
  const double lowest =
      std::min(microseconds(p.relay_latency, parts.front()), microseconds(p.server_latency, parts.front()));
  const double highest =
      std::max(microseconds(p.relay_latency, parts.back()), microseconds(p.server_latency, parts.back()));
  // Half of all on the left, and from there each tenth of what is left as wide as the one before.
  const axis x{1, 1'000, left, plot_width - right};
  const axis y{power_below(lowest), std::max(power_above(highest), 10 * power_below(lowest)), plot_height - bottom,
               top};
  svg plot("Round trip at 70 % of R's capacity, 100 clients");
  for (const double part : {0.0, 0.5, 0.9, 0.99, 0.999}) {
    const double at = x.at(1 / (1 - part));
    plot.line(at, top, at, plot_height - bottom, grid);
    std::ostringstream percent;
    percent << 100 * part << " %";
    plot.text(at, plot_height - bottom + 18, percent.str(), part > 0.99 ? "end" : "middle");
  }
  for (double us = y.low; us <= y.high * 1.01; us *= 10) {
    plot.line(left, y.at(us), plot_width - right, y.at(us), grid);
    plot.text(left - 8, y.at(us) + 4, us < 1'000 ? short_number(us) + " us" : short_number(us / 1'000) + " ms", "end");
  }
  plot.text(plot_width / 2.0, plot_height - 10, "part of all messages that took no longer", "middle");
  const auto draw = [&](const histogram& h, const char* colour, const char* name, int row) {
    std::vector<std::pair<double, double>> points;
    for (const double part : parts) points.emplace_back(x.at(1 / (1 - part)), y.at(microseconds(h, part)));
    plot.curve(points, colour);
    plot.legend(name, colour, row);
  };
  draw(p.relay_latency, colour_of_relay, "R, the bare relay", 0);
  draw(p.server_latency, colour_of_server, "messenger-node", 1);
  return plot.end();
}

std::string capacity_plot(const plots& p) {
  svg plot("Capacity by the length of the user list, 100 clients");
  double highest = p.relay_capacity;
  for (const auto& point : p.capacity) highest = std::max(highest, point.rate);
  const double step = highest > 10'000 ? 5'000 : std::max(power_below(highest) / 2, 1.0);
  const double ceiling = step * std::ceil(highest / step + 0.2);
  const auto y = [&](double rate) { return plot_height - bottom - (plot_height - bottom - top) * rate / ceiling; };
  const axis x{
      static_cast<double>(p.capacity.front().users),
      std::max(static_cast<double>(p.capacity.back().users), static_cast<double>(p.capacity.front().users) * 10),
      left + 20, plot_width - right - 30};
  for (double rate = 0; rate <= ceiling; rate += step) {
    plot.line(left, y(rate), plot_width - right, y(rate), grid);
    plot.text(left - 8, y(rate) + 4, short_number(rate) + "/s", "end");
  }
  plot.text(plot_width / 2.0, plot_height - 10, "users on the list", "middle");
  plot.line(left, y(p.relay_capacity), plot_width - right, y(p.relay_capacity), colour_of_relay,
            "stroke-width=\"2\" stroke-dasharray=\"6 4\"");
  std::vector<std::pair<double, double>> points;
  for (const auto& point : p.capacity) {
    const double at = x.at(static_cast<double>(point.users));
    points.emplace_back(at, y(point.rate));
    plot.dot(at, y(point.rate), colour_of_server);
    plot.text(at, plot_height - bottom + 18, short_number(static_cast<double>(point.users)), "middle");
  }
  plot.curve(points, colour_of_server);
  plot.legend("R, which has no list", colour_of_relay, 0);
  plot.legend("messenger-node", colour_of_server, 1);
  return plot.end();
}

}  // namespace bench
